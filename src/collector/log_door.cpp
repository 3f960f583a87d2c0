#include "log_door.hpp"

#include <format>
#include <nlohmann/json.hpp>

#include "rltune/telemetry/log_entry.hpp"

namespace rltune::collector {
namespace {

constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;

webserver::Response refusal(const std::vector<telemetry::EntryFault>& faults) {
  auto response = webserver::problem(400, "nothing was taken: " + std::to_string(faults.size()) +
                                              (faults.size() == telemetry::kFaultsMax ? " faults or more" : " faults"));
  auto body = nlohmann::ordered_json::parse(response.body);
  for (const auto& fault : faults)
    body["errors"].push_back({{"entry", fault.entry}, {"field", fault.field}, {"message", fault.message}});
  response.body = body.dump(-1, ' ', false, kReplace);
  return response;
}

// Too much at once, or a disk that is full or failed.
webserver::Response later(const Error& error, int status) {
  auto response = webserver::problem(status, error.message);
  response.headers["Retry-After"] = "1";
  return response;
}

webserver::Response answer_of(const Result<telemetry::SequenceRange>& durable) {
  if (!durable) return later(durable.error(), 503);
  return {.status = 202,
          .body = std::format(R"({{"accepted":{},"first":{},"last":{}}})", durable->count(), durable->first,
                              durable->last)};
}

}  // namespace

void take_logs(telemetry::Intake& logs, const webserver::Request& request, webserver::Reply reply) {
  auto parsed = telemetry::parse_entries(request.body);
  if (!parsed.faults.empty()) return reply(refusal(parsed.faults));
  auto taken = logs.submit(std::move(parsed.payloads),
                           [reply](const Result<telemetry::SequenceRange>& durable) { reply(answer_of(durable)); });
  if (!taken) reply(later(taken.error(), 429));
}

}  // namespace rltune::collector
