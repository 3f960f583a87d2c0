#include "read_door.hpp"

#include "rltune/base/scheduling.hpp"

namespace rltune::collector {
namespace {

constexpr std::size_t kAskedMax = 32;

}  // namespace

ReadDoor::ReadDoor(telemetry::RecordReader& records) : search_(records) {
  const OrdinaryThreads while_starting;
  thread_ = std::thread([this] { run(); });
}

ReadDoor::~ReadDoor() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  work_.notify_one();
  thread_.join();
}

void ReadDoor::find(const webserver::Request& request, webserver::Reply reply) {
  auto query = telemetry::parse_query(request.query);
  if (!query) return reply(webserver::problem(400, query.error().message));
  {
    const std::scoped_lock lock(mutex_);
    if (asked_.size() < kAskedMax) {
      asked_.push_back({std::move(*query), std::move(reply)});
      reply = {};
    }
  }
  if (reply) return reply(webserver::problem(429, "too many searches wait; try again in a second"));
  work_.notify_one();
}

void ReadDoor::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [&] { return stopping_ || !asked_.empty(); });
    if (stopping_) return;
    const Asked asked = std::move(asked_.front());
    asked_.pop_front();
    lock.unlock();
    const auto page = search_.find(asked.query);
    asked.reply(
        page ? webserver::Response{.body = to_json(*page)}
             : webserver::problem(page.error().code == Errc::invalid_argument ? 400 : 500, page.error().message));
    lock.lock();
  }
}

}  // namespace rltune::collector
