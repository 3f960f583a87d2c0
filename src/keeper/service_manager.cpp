#include "service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace rltune::keeper {
namespace {

std::string take(const char* name) {
  const char* value = std::getenv(name);
  std::string taken = value == nullptr ? "" : value;
  ::unsetenv(name);
  return taken;
}

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

ServiceManager::ServiceManager() : path_(take("NOTIFY_SOCKET")) {
  const std::int64_t microseconds = number(take("WATCHDOG_USEC"));
  const std::string whom = take("WATCHDOG_PID");
  // '@' stands for the zero byte of an abstract address.
  if (path_.size() < 2 || path_.size() >= sizeof(sockaddr_un::sun_path) || (path_[0] != '/' && path_[0] != '@')) return;
  socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (microseconds > 0 && (whom.empty() || number(whom) == ::getpid()))
    watchdog_ = Duration(std::chrono::microseconds(microseconds)) / 2;
}

ServiceManager::~ServiceManager() {
  if (socket_ >= 0) ::close(socket_);
}

void ServiceManager::send(std::string_view text) const noexcept {
  if (socket_ < 0) return;
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  std::memcpy(where.sun_path, path_.data(), path_.size());
  if (path_[0] == '@') where.sun_path[0] = '\0';
  // A manager that does not listen learns nothing; we go on.
  [[maybe_unused]] const ssize_t sent =
      ::sendto(socket_, text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&where),
               static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size()));
}

void ServiceManager::ready() {
  if (std::exchange(ready_, true)) return;
  send("READY=1");
}

void ServiceManager::stopping(std::string_view why) { send("STOPPING=1\nSTATUS=stopping: " + std::string(why)); }

void ServiceManager::reloading(std::string_view why, Duration now) {
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds) + "\nSTATUS=starting again: " + std::string(why));
}

void ServiceManager::status(std::string_view text) {
  if (text == status_) return;
  status_ = text;
  send("STATUS=" + status_);
}

void ServiceManager::alive(Duration now) {
  if (!watchdog_ || (last_alive_ != Duration::zero() && now - last_alive_ < *watchdog_)) return;
  last_alive_ = now;
  send("WATCHDOG=1");
}

}  // namespace rltune::keeper
