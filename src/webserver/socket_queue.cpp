#include "socket_queue.hpp"

namespace rltune::webserver {
namespace {

constexpr std::size_t kReasonBytesMax = 123;  // RFC 6455, 5.5

// Cut where a character ends, since a reason must be UTF-8.
void cut(std::string& reason) {
  if (reason.size() <= kReasonBytesMax) return;
  std::size_t end = kReasonBytesMax;
  while (end > 0 && (static_cast<unsigned char>(reason[end]) & 0xC0U) == 0x80U) --end;
  reason.resize(end);
}

}  // namespace

bool SocketQueue::send(std::string message, MessageKind kind) {
  std::unique_lock lock(mutex_);
  if (ended_ || closing_) return false;
  if (waiting_.size() >= limits_.queued_messages_max || bytes_ + message.size() > limits_.queued_bytes_max)
    return false;
  bytes_ += message.size();
  waiting_.push_back({std::move(message), kind});
  // One call serves all that is queued before the connection comes to look.
  if (!std::exchange(woken_, true)) wake(std::move(lock));
  return true;
}

void SocketQueue::close(std::uint16_t code, std::string reason) {
  std::unique_lock lock(mutex_);
  if (ended_ || closing_) return;
  cut(reason);
  closing_ = {code, std::move(reason)};
  wake(std::move(lock));
}

void SocketQueue::wake(std::unique_lock<std::mutex> lock) {
  const auto connection = connection_;
  lock.unlock();
  connections_->reach(connection, [](Connection& reached) { reached.wake(); });
}

void SocketQueue::open(std::weak_ptr<Connection> connection) {
  const std::scoped_lock lock(mutex_);
  connection_ = std::move(connection);
}

std::optional<SocketQueue::Outgoing> SocketQueue::next() {
  const std::scoped_lock lock(mutex_);
  if (waiting_.empty()) {
    woken_ = false;
    return std::nullopt;
  }
  Outgoing message = std::move(waiting_.front());
  waiting_.pop_front();
  return message;
}

void SocketQueue::sent(std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  bytes_ -= bytes;
}

std::optional<SocketQueue::Close> SocketQueue::closing() const {
  const std::scoped_lock lock(mutex_);
  return closing_;
}

void SocketQueue::end() {
  const std::scoped_lock lock(mutex_);
  ended_ = true;
  waiting_.clear();
}

}  // namespace rltune::webserver
