#include "alert_door.hpp"

#include <nlohmann/json.hpp>

namespace rltune::collector {
namespace {

webserver::Response refusal(const Error& error) {
  const int status = error.code == Errc::not_found ? 404 : error.code == Errc::invalid_argument ? 400 : 502;
  return webserver::problem(status, error.message);
}

struct Order {
  std::string who, why;
  std::optional<TimePoint> until;
};

// Strict: a word that is none of these is one that was meant to be.
Result<Order> order_of(std::string_view body) {
  const auto told = nlohmann::json::parse(body, nullptr, false);
  if (!told.is_object()) return fail(Errc::invalid_argument, "an object is expected: {\"who\": ..., \"why\": ...}");
  Order order;
  for (const auto& [name, value] : told.items()) {
    if (!value.is_string()) return fail(Errc::invalid_argument, name + ": should be a text");
    if (name == "who") {
      order.who = value;
    } else if (name == "why") {
      order.why = value;
    } else if (name == "until") {
      const auto until = parse_rfc3339(value.get<std::string>());
      if (!until) return fail(Errc::invalid_argument, "until: " + until.error().message);
      order.until = *until;
    } else {
      return fail(Errc::invalid_argument, name + ": there are who, why and until");
    }
  }
  return order;
}

}  // namespace

webserver::Response AlertDoor::list() const { return {.body = R"({"alerts":)" + watch_.instances_json() + "}"}; }

webserver::Response AlertDoor::acknowledge(const webserver::Request& request) {
  const auto order = order_of(request.body);
  if (!order) return refusal(order.error());
  const auto done = watch_.acknowledge(request.parts.at(0), order->who, order->why, order->until);
  return done ? webserver::Response{.body = to_json(*done)} : refusal(done.error());
}

void AlertDoor::test(const webserver::Request& request, webserver::Reply reply) {
  if (testing_.exchange(true)) return reply(webserver::problem(409, "another channel is being tested"));
  const std::scoped_lock lock(mutex_);
  thread_ = std::jthread([this, channel = request.parts.at(0), reply = std::move(reply)] {
    const auto done = watch_.test(channel);
    testing_ = false;
    reply(done ? webserver::Response{.body = R"({"told":true})"} : refusal(done.error()));
  });
}

}  // namespace rltune::collector
