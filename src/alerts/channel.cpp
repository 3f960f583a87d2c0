#include "rltune/alerts/channel.hpp"

#include <cstdlib>
#include <format>

#include "channels.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/secret.hpp"

namespace rltune::alerts {
namespace {

log::Level level_of(const Notice& notice) {
  if (notice.kind == NoticeKind::resolved || notice.kind == NoticeKind::acknowledged || notice.severity == "info")
    return log::Level::info;
  if (notice.severity == "warning") return log::Level::warning;
  return notice.severity == "critical" ? log::Level::critical : log::Level::error;
}

class LogChannel final : public Channel {
 public:
  Result<> tell(const Notice& notice) override {
    log::write(level_of(notice), title_of(notice), {{"alert", notice.key}, {"action", notice.action}});
    return {};
  }
  void cancel() noexcept override {}
};

const char* word_of(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::repeated:
      return "Still ";
    case NoticeKind::acknowledged:
      return "Acknowledged ";
    case NoticeKind::resolved:
      return "Resolved ";
    case NoticeKind::test:
      return "Test ";
    case NoticeKind::firing:
      break;
  }
  return "";
}

}  // namespace

std::string title_of(const Notice& notice) {
  return std::format("{}[{}] {}: {}: {}", word_of(notice.kind), notice.severity, notice.site, notice.rule,
                     notice.summary);
}

std::string text_of(const Notice& notice) {
  std::string text = title_of(notice) + "\n\n";
  if (!notice.action.empty()) text += "What to do first: " + notice.action + "\n";
  text += "Since: " + format_rfc3339(notice.fired) + "\n";
  if (notice.kind == NoticeKind::resolved) text += "Until: " + format_rfc3339(notice.at) + "\n";
  if (notice.acknowledged) {
    text += std::format("Acknowledged by {}: {}\n", notice.acknowledged->who, notice.acknowledged->why);
    if (notice.acknowledged->until) text += "until " + format_rfc3339(*notice.acknowledged->until) + "\n";
  }
  for (const auto& [name, value] : notice.labels) text += std::format("{}: {}\n", name, value);
  return text + "\nalert " + notice.key + "\n";
}

Result<std::string> secret_of(const std::string& channel, const std::string& what, const ChannelOptions& options,
                              const std::filesystem::path& file, const std::string& variable) {
  if (!variable.empty()) {
    const char* value = std::getenv(variable.c_str());
    if (value != nullptr && *value != '\0') return std::string(value);
    return fail(Errc::not_found, std::format("the environment variable {} with the {} is not set", variable, what));
  }
  const auto found =
      find_secret(std::format("alerts-{}-{}", channel, what), file.empty() ? file : options.folder / file);
  if (!found) return std::unexpected(found.error());
  if (!*found || (*found)->empty())
    return fail(Errc::not_found, std::format("{} with the {} is missing or empty", file.string(), what));
  return **found;
}

http::Client make_client(const config::Channel& channel, const ChannelOptions& options) {
  return http::Client({.ca_file = channel.ca_file.empty() ? channel.ca_file : options.folder / channel.ca_file,
                       .connect_timeout = options.timeout,
                       .timeout = options.timeout,
                       .answer_bytes_max = std::size_t{64} << 10U});
}

Result<> judged(const Result<http::Response>& response) {
  if (!response) return std::unexpected(response.error());
  const long status = response->status;
  if (status >= 200 && status < 300) return {};
  const bool later = status == 408 || status == 425 || status == 429 || status >= 500;
  return fail(later ? Errc::disconnected : Errc::mismatch, std::format("it answers with status {}", status));
}

std::unique_ptr<Channel> make_log_channel() { return std::make_unique<LogChannel>(); }

std::unique_ptr<Channel> make_channel(const config::Channel& channel, const ChannelOptions& options) {
  if (channel.kind == "webhook") return make_webhook(channel, options);
  if (channel.kind == "email") return make_email(channel, options);
  if (channel.kind == "pagerduty") return make_pagerduty(channel, options);
  return make_log_channel();
}

Result<> send_test(const config::Channel& channel, const ChannelOptions& options, const std::string& site,
                   TimePoint now) {
  const auto at_ms = now.time_since_epoch() / std::chrono::milliseconds(1);
  return make_channel(channel, options)
      ->tell({.kind = NoticeKind::test,
              .channel = channel.name,
              .key = std::format("test-{}.{}", channel.name, at_ms),
              .site = site,
              .rule = "test",
              .severity = "info",
              .summary = "somebody tests whether this channel reaches you; there is nothing to do",
              .action = "",
              .labels = {},
              .fired = now,
              .at = now,
              .acknowledged = {}});
}

}  // namespace rltune::alerts
