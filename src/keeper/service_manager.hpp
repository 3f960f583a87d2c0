// What systemd is told about us, by its notification protocol (sd_notify(3)): datagrams to the socket that
// NOTIFY_SOCKET names. Without one every call does nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rltune/base/time.hpp"

namespace rltune::keeper {

class ServiceManager {
 public:
  // Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and removes them: they are not for the roles.
  ServiceManager();
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  void ready();  // once
  void stopping(std::string_view why);
  // That this process goes on as another program and will be ready again. `now`: steady.
  void reloading(std::string_view why, Duration now);
  // A line for `systemctl status`; sent when it changes.
  void status(std::string_view text);
  // That we live. Sent twice as often as is asked for, however often it is called. `now`: steady.
  void alive(Duration now);
  // How long alive() may wait from one call to the next; nothing where nobody watches.
  std::optional<Duration> watchdog() const noexcept { return watchdog_; }

 private:
  void send(std::string_view text) const noexcept;

  int socket_ = -1;
  std::string path_;
  std::optional<Duration> watchdog_;  // half of what systemd waits
  Duration last_alive_{};
  std::string status_;
  bool ready_ = false;
};

}  // namespace rltune::keeper
