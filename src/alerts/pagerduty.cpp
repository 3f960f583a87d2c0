// PagerDuty's Events API v2: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
#include "channels.hpp"
#include "instance_json.hpp"

namespace rltune::alerts {
namespace {

constexpr const char* kUrl = "https://events.pagerduty.com/v2/enqueue";
constexpr std::size_t kSummaryMax = 1024, kKeyMax = 255;

// Not in the middle of a character.
std::string cut(const std::string& text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  std::size_t end = bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

const char* action_of(NoticeKind kind) {
  if (kind == NoticeKind::acknowledged) return "acknowledge";
  return kind == NoticeKind::resolved ? "resolve" : "trigger";
}

std::string event_of(const Notice& notice, const std::string& routing_key) {
  Json event{
      {"routing_key", routing_key}, {"event_action", action_of(notice.kind)}, {"dedup_key", cut(notice.key, kKeyMax)}};
  if (event["event_action"] == "trigger") {
    Json details{{"rule", notice.rule}, {"value", json_of(notice.value)}, {"labels", notice.labels}};
    if (!notice.action.empty()) details["action"] = notice.action;
    event["client"] = "RLTune";
    event["payload"] = {{"summary", cut(notice.site + ": " + notice.rule + ": " + notice.summary, kSummaryMax)},
                        {"source", notice.site.empty() ? "rltune" : notice.site},
                        {"severity", notice.severity},  // theirs are ours: info, warning, error, critical
                        {"timestamp", format_rfc3339(notice.at)},
                        {"class", notice.rule},
                        {"custom_details", std::move(details)}};
  }
  return text_of(event);
}

class PagerDuty final : public Channel {
 public:
  PagerDuty(const config::Channel& channel, const ChannelOptions& options)
      : channel_(channel), options_(options), client_(make_client(channel, options)) {}

  Result<> tell(const Notice& notice) override {
    const auto key =
        secret_of(channel_.name, "routing key", options_, channel_.routing_key_file, channel_.routing_key_env);
    if (!key) return std::unexpected(key.error());
    if (auto told = send(event_of(notice, *key)); !told || notice.kind != NoticeKind::test) return told;
    Notice over = notice;  // nobody is to be woken by a test for long
    over.kind = NoticeKind::resolved;
    return send(event_of(over, *key));
  }
  void cancel() noexcept override { client_.cancel(); }

 private:
  Result<> send(std::string body) {
    return judged(client_.send({.url = channel_.url.empty() ? kUrl : channel_.url,
                                .headers = {{"Content-Type", "application/json"}},
                                .body = std::move(body)}));
  }

  config::Channel channel_;
  ChannelOptions options_;
  http::Client client_;
};

}  // namespace

std::unique_ptr<Channel> make_pagerduty(const config::Channel& channel, const ChannelOptions& options) {
  return std::make_unique<PagerDuty>(channel, options);
}

}  // namespace rltune::alerts
