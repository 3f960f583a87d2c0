#include "rltune/alerts/notifier.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "rltune/base/backoff.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/scheduling.hpp"

namespace rltune::alerts {

struct Notifier::Lane {
  std::unique_ptr<Channel> channel;
  std::deque<Notice> waiting;  // the first is under way
  ChannelCounts counts;
  std::jthread thread;
};

struct Notifier::State {
  // Until it is told or given up. False: the notifier ends.
  bool tell(Lane& lane, const Notice& notice, const std::stop_token& stop) {
    Backoff backoff(options.wait_first, options.wait_max);
    backoff.next();
    for (int attempt = 1;; ++attempt) {
      const auto told = lane.channel->tell(notice);
      std::unique_lock lock(mutex);
      if (stop.stop_requested()) return false;
      lane.counts.fault = told ? "" : std::string(rltune::to_string(told.error().code)) + ": " + told.error().message;
      if (told) return ++lane.counts.told, true;
      ++lane.counts.failed;
      const bool again = told.error().code == Errc::timeout || told.error().code == Errc::disconnected;
      if (!again || attempt >= options.tries_max) {
        ++lane.counts.given_up;
        log::error("an alert could not be told", {{"channel", notice.channel},
                                                  {"alert", notice.key},
                                                  {"kind", to_string(notice.kind)},
                                                  {"tries", std::to_string(attempt)},
                                                  {"reason", lane.counts.fault}});
        return true;
      }
      if (changed.wait_for(lock, stop, backoff.next(), [] { return false; }) || stop.stop_requested()) return false;
    }
  }

  void serve(Lane& lane, const std::stop_token& stop) {
    while (true) {
      std::unique_lock lock(mutex);
      if (!changed.wait(lock, stop, [&] { return !lane.waiting.empty(); })) return;
      const Notice notice = lane.waiting.front();
      lock.unlock();
      if (!tell(lane, notice, stop)) return;
      lock.lock();
      lane.waiting.pop_front();
      finished.push_back(notice.number);
    }
  }

  NotifierOptions options;
  mutable std::mutex mutex;
  std::condition_variable_any changed;
  std::set<std::uint64_t> known;  // submitted, and not handed back
  std::vector<std::uint64_t> finished;
  std::vector<std::unique_ptr<Lane>> lanes;
};

Notifier::Notifier(const std::vector<config::Channel>& channels, NotifierOptions options)
    : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
  const OrdinaryThreads ordinary;
  for (const config::Channel& channel : channels) {
    auto& lane = *state_->lanes.emplace_back(std::make_unique<Lane>());
    lane.channel = state_->options.make(channel, state_->options.channel);
    lane.counts.name = channel.name;
    lane.counts.kind = channel.kind;
    lane.thread = std::jthread([&state = *state_, &lane](const std::stop_token& stop) { state.serve(lane, stop); });
  }
}

Notifier::~Notifier() {
  for (const auto& lane : state_->lanes) lane->thread.request_stop(), lane->channel->cancel();
  for (const auto& lane : state_->lanes) lane->thread.join();
}

void Notifier::submit(const Notice& notice) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->known.insert(notice.number).second) return;
  const auto lane = std::ranges::find(state_->lanes, notice.channel, [](const auto& one) { return one->counts.name; });
  if (lane == state_->lanes.end()) {  // of a configuration that is gone
    log::warning("an alert's channel is gone", {{"channel", notice.channel}, {"alert", notice.key}});
    state_->finished.push_back(notice.number);
    return;
  }
  (*lane)->waiting.push_back(notice);
  state_->changed.notify_all();
}

std::vector<std::uint64_t> Notifier::finished() {
  const std::lock_guard lock(state_->mutex);
  for (const std::uint64_t number : state_->finished) state_->known.erase(number);
  return std::exchange(state_->finished, {});
}

std::vector<ChannelCounts> Notifier::counts() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<ChannelCounts> all;
  for (const auto& lane : state_->lanes) {
    all.push_back(lane->counts);
    all.back().waiting = lane->waiting.size();
  }
  return all;
}

}  // namespace rltune::alerts
