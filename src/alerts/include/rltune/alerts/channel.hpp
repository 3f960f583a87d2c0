// A way to reach a person: the log, a webhook, e-mail (SMTP), PagerDuty (Events API v2).
//
// Threads: one; cancel() from any.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "rltune/alerts/instance.hpp"
#include "rltune/base/error.hpp"
#include "rltune/config/alerts.hpp"

namespace rltune::alerts {

class Channel {
 public:
  virtual ~Channel() = default;
  // Errors: timeout, disconnected: try again; any other: it will not be taken whenever it is said.
  virtual Result<> tell(const Notice& notice) = 0;
  // What is under way, and everything later, ends at once.
  virtual void cancel() noexcept = 0;
};

struct ChannelOptions {
  std::filesystem::path folder;  // what files of keys are relative to
  Duration timeout = std::chrono::seconds(20);
};

// Keys are read when they are needed, so that a new one takes no restart.
std::unique_ptr<Channel> make_channel(const config::Channel& channel, const ChannelOptions& options);

// Says that this is a test, now. Errors: as tell().
Result<> send_test(const config::Channel& channel, const ChannelOptions& options, const std::string& site,
                   TimePoint now);

}  // namespace rltune::alerts
