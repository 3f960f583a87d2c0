#include "live.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "live_values.hpp"
#include "rltune/api/json.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/id.hpp"
#include "rltune/base/scheduling.hpp"
#include "rltune/v1/control.pb.h"

namespace rltune::gateway {
namespace {

constexpr std::size_t kNamesMax = 10'000;
constexpr std::uint16_t kPolicyViolation = 1008;
constexpr auto kAskAgain = std::chrono::seconds(1), kLookEvery = std::chrono::seconds(5);

struct Subscription {
  std::vector<std::string> subscribe;
  std::optional<std::string> epoch;
  std::optional<std::uint64_t> after;
};
template <typename Visitor>
void describe(Visitor& v, Subscription& subscription) {
  v.field("subscribe", subscription.subscribe, {.note = "tags; empty: all", .length_max = kNamesMax});
  v.field("epoch", subscription.epoch, {.note = "of the last frame"});
  v.field("after", subscription.after, {.note = "the last frame"});
}

using Places = std::vector<std::uint32_t>;

struct Client {
  std::shared_ptr<webserver::Socket> socket;
  std::function<bool()> may_stay;
  std::shared_ptr<const Places> places;  // nullptr: it has not said yet
  std::uint64_t sent = 0;                // the frame that it had last
};

}  // namespace

struct Live::State : std::enable_shared_from_this<Live::State> {
  State(LiveOptions with, bus::Subscriber from)
      : options(std::move(with)), subscriber(std::move(from)), values(options.tags), epoch(make_id(clock.now())) {}

  void run(const std::stop_token& stop) {
    ask();
    Duration tick_at = clock.steady() + options.tick;
    while (!stop.stop_requested()) {
      hear(tick_at);
      if (missed && clock.steady() >= ask_at) ask();
      if (clock.steady() < tick_at) continue;
      tick_at = std::max(tick_at + options.tick, clock.steady());
      const std::scoped_lock lock(mutex);
      if (values.end_frame()) ++counts.frames;
      send_all();
      if (tick_at < look_at) continue;
      look_at = tick_at + kLookEvery;
      for (auto& [key, client] : clients)
        if (!client.may_stay()) client.socket->close(kPolicyViolation, "the session has ended");
    }
  }

  void ask() {
    missed = false;
    ask_at = clock.steady() + kAskAgain;
    options.ask([state = shared_from_this()](const v1::SampleBatch& latest) {
      const std::scoped_lock lock(state->mutex);
      state->values.take(latest);
    });
  }

  void hear(Duration until) {
    std::string_view topic, body;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock.steady());
    if (!subscriber.receive(topic, body, std::max(left, std::chrono::milliseconds(0)))) return;
    v1::SampleBatch batch;
    if (!batch.ParseFromArray(body.data(), static_cast<int>(body.size()))) return;
    missed |= batch.sequence() != last_sequence + 1;
    last_sequence = batch.sequence();
    const std::scoped_lock lock(mutex);
    values.take(batch);
  }

  // REQUIRES: mutex held. Clients that want the same tags and had the same frame share a text.
  void send_all() {
    std::map<std::pair<const Places*, std::uint64_t>, std::string> texts;
    for (auto& [key, client] : clients) {
      if (!client.places || client.sent == values.frame()) continue;
      const auto [text, is_new] = texts.try_emplace({client.places.get(), client.sent});
      if (is_new) text->second = values.text(*client.places, client.sent, epoch);
      if (is_new && !text->second.empty()) ++counts.texts;
      if (!text->second.empty() && !client.socket->send(text->second)) {
        ++counts.passed_over;
        continue;
      }
      if (!text->second.empty()) ++counts.sent;
      client.sent = values.frame();
    }
  }

  // The places of these tags: the same for all that name the same. REQUIRES: mutex held. nullptr: one is unknown.
  std::shared_ptr<const Places> channel(const std::vector<std::string>& names) {
    Places places;
    for (const std::string& name : names) {
      const Places found = values.places_of(name);
      if (found.empty()) return nullptr;
      places.insert(places.end(), found.begin(), found.end());
    }
    for (std::uint32_t place = 0; names.empty() && place < values.size(); ++place) places.push_back(place);
    std::ranges::sort(places);
    const auto twice = std::ranges::unique(places);
    places.erase(twice.begin(), twice.end());
    std::erase_if(channels, [](const auto& entry) { return entry.second.expired(); });
    std::weak_ptr<const Places>& known = channels[places];
    auto shared = known.lock();
    if (!shared) known = shared = std::make_shared<const Places>(std::move(places));
    return shared;
  }

  void hear_client(const webserver::Socket* key, std::string_view message) {
    const auto wanted = api::from_json<Subscription>(message);
    const std::scoped_lock lock(mutex);
    const auto client = clients.find(key);
    if (client == clients.end()) return;
    auto places = wanted ? channel(wanted->subscribe) : nullptr;
    if (!places)
      return client->second.socket->close(
          kPolicyViolation, wanted ? "a tag that the site does not have" : "this takes {\"subscribe\": [names]}");
    client->second.places = std::move(places);
    const bool goes_on = wanted->epoch == epoch && wanted->after && *wanted->after <= values.frame();
    client->second.sent = goes_on ? *wanted->after : 0;
  }

  WallClock clock;
  LiveOptions options;
  bus::Subscriber subscriber;  // of the thread
  std::uint64_t last_sequence = 0;
  bool missed = false;
  Duration ask_at{}, look_at{};

  mutable std::mutex mutex;
  LiveValues values;
  const std::string epoch;
  std::map<const webserver::Socket*, Client> clients;
  std::map<Places, std::weak_ptr<const Places>> channels;
  LiveFigures counts;
  std::jthread thread;
};

Result<std::unique_ptr<Live>> Live::start(bus::Context& context, LiveOptions options) {
  auto subscriber = bus::Subscriber::connect(context, options.events, "samples");
  if (!subscriber) return std::unexpected(subscriber.error());
  auto state = std::make_shared<State>(std::move(options), std::move(*subscriber));
  const OrdinaryThreads while_starting;
  state->thread = std::jthread([raw = state.get()](const std::stop_token& stop) { raw->run(stop); });
  return std::unique_ptr<Live>(new Live(std::move(state)));
}

Live::Live(std::shared_ptr<State> state) : state_(std::move(state)) {}

Live::~Live() {
  state_->thread.request_stop();
  state_->thread.join();
}

webserver::SocketEvents Live::join(const std::shared_ptr<webserver::Socket>& socket, std::function<bool()> may_stay) {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->clients[socket.get()] = {.socket = socket, .may_stay = std::move(may_stay), .places = nullptr};
  }
  return {.on_message = [state = state_, key = socket.get()](
                            std::string_view message, webserver::MessageKind) { state->hear_client(key, message); },
          .on_close =
              [state = state_, key = socket.get()](std::uint16_t, std::string_view) {
                const std::scoped_lock lock(state->mutex);
                state->clients.erase(key);
              }};
}

LiveFigures Live::figures() const {
  const std::scoped_lock lock(state_->mutex);
  LiveFigures figures = state_->counts;
  figures.clients = state_->clients.size();
  return figures;
}

}  // namespace rltune::gateway
