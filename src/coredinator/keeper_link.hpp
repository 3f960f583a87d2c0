// Coredinator's end of the keeper's socket: requests out, notices in, one message a packet.
#pragma once

#include <optional>
#include <string>

#include "rltune/base/error.hpp"
#include "rltune/config/retention.hpp"
#include "rltune/config/telemetry.hpp"
#include "rltune/v1/supervision.pb.h"

namespace rltune::coredinator {

class KeeperLink {
 public:
  // Errors: denied: this process was not started by a keeper.
  static Result<KeeperLink> inherit();

  void spawn(const v1::RoleSpec& role) const;
  void stop(const std::string& role, double grace_s) const;
  void ask_children() const;
  void tell_status(bool ready, const std::string& text) const;
  void settle(const config::Telemetry& telemetry, const config::Retention& retention) const;
  void shut_down(const std::string& reason, bool failed) const;
  void shut_down(const v1::ShutdownRequest& request) const;

  // The next notice that has arrived. Errors: disconnected: the keeper is gone.
  Result<std::optional<v1::KeeperNotice>> receive() const;
  int descriptor() const noexcept { return descriptor_; }

 private:
  explicit KeeperLink(int descriptor) : descriptor_(descriptor) {}
  void send(const v1::KeeperRequest& request) const;

  int descriptor_;  // lives as long as the process
};

}  // namespace rltune::coredinator
