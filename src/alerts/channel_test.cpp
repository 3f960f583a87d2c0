// Channels before servers of others: a webhook, a PagerDuty that checks events by its published rules, a mail server.
#include "rltune/alerts/channel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "../../tests/system/child_process.hpp"
#include "certificates.hpp"
#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::alerts {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using rltune::testing::ChildProcess;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kRoutingKey = "0123456789abcdef0123456789abcdef";

class ChannelTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    ASSERT_TRUE(rltune::testing::make_certificates(folder_->path()));
    for (const auto& [name, word] : {std::pair{"hook.key", "hook word"},
                                     {"routing.key", kRoutingKey},
                                     {"mail.key", "mail word"},
                                     {"wrong.key", "x"}})
      ASSERT_TRUE(write_secret_file(folder_->path() / name, word));
    peer_ = std::make_unique<ChildProcess>(std::vector<std::string>{
        "/usr/bin/node", RLTUNE_SOURCE_DIR "/tests/peers/notices.mjs", "--folder", folder_->path().string(), "--key",
        "hook word", "--routing-key", kRoutingKey, "--password", "mail word"});
    const auto line = peer_->read_line(60s);
    ASSERT_TRUE(line);
    ports_ = json::parse(*line);
  }
  static void TearDownTestSuite() {
    peer_.reset();
    folder_.reset();
  }

  static std::string url(const char* scheme, const char* path = "") {
    return std::string(scheme) + "://localhost:" + std::to_string(ports_[scheme].get<int>()) + path;
  }
  static config::Channel webhook() {
    return {.name = "hook",
            .kind = "webhook",
            .url = url("https", "/hook"),
            .signing_key_file = "hook.key",
            .ca_file = "ca.pem"};
  }
  static config::Channel pagerduty() {
    return {.name = "duty",
            .kind = "pagerduty",
            .url = url("https", "/v2/enqueue"),
            .routing_key_file = "routing.key",
            .ca_file = "ca.pem"};
  }
  static config::Channel email(const char* scheme) {
    return {.name = "mail",
            .kind = "email",
            .url = url(scheme),
            .to = {"oncall@example.com", "second@example.com"},
            .user = "rltune",
            .password_file = "mail.key",
            .from = "alerts@north.example.com",
            .ca_file = "ca.pem"};
  }
  static Result<> tell(const config::Channel& channel, const Notice& notice) {
    return make_channel(channel, {.folder = folder_->path(), .timeout = 10s})->tell(notice);
  }
  static json received() {
    const auto line = peer_->read_line(10s);
    return line ? json::parse(*line) : json();
  }
  static Notice notice(NoticeKind kind, std::uint64_t number = 7) {
    return {.number = number,
            .kind = kind,
            .channel = "any",
            .key = "role_down-3fa2b1c4d5e6.1767312000000",
            .site = "north",
            .rule = "role_down",
            .severity = "critical",
            .summary = "up is 0, below 1",
            .action = "look",
            .labels = {{"role", "io"}},
            .value = 0,
            .fired = parse_rfc3339("2026-01-02T00:00:00Z").value(),
            .at = parse_rfc3339("2026-01-02T00:05:00Z").value(),
            .acknowledged = {}};
  }

  static inline std::unique_ptr<TemporaryFolder> folder_;
  static inline std::unique_ptr<ChildProcess> peer_;
  static inline json ports_;
};

TEST_F(ChannelTest, a_webhook_gets_everything_as_json_signed_with_its_key) {
  const auto told = tell(webhook(), notice(NoticeKind::firing));
  ASSERT_TRUE(told) << told.error().message;
  const json got = received();
  EXPECT_EQ(got["signed"], true);
  EXPECT_EQ(got["type"], "application/json");
  EXPECT_EQ(got["hook"], json::parse(to_json(notice(NoticeKind::firing))));
  EXPECT_EQ(got["hook"]["kind"], "firing");
  EXPECT_EQ(got["hook"]["labels"]["role"], "io");
  config::Channel wrong = webhook();
  wrong.signing_key_file = "wrong.key";
  ASSERT_TRUE(tell(wrong, notice(NoticeKind::firing)));
  EXPECT_EQ(received()["signed"], false);
}

TEST_F(ChannelTest, pagerduty_gets_events_as_it_has_published_them) {
  for (const auto& [kind, action] : {std::pair{NoticeKind::firing, "trigger"},
                                     {NoticeKind::repeated, "trigger"},
                                     {NoticeKind::acknowledged, "acknowledge"},
                                     {NoticeKind::resolved, "resolve"}}) {
    const auto told = tell(pagerduty(), notice(kind));
    ASSERT_TRUE(told) << told.error().message;
    const json got = received();
    EXPECT_EQ(got["faults"], json::array()) << got;
    EXPECT_EQ(got["event"]["event_action"], action);
    EXPECT_EQ(got["event"]["dedup_key"], "role_down-3fa2b1c4d5e6.1767312000000");
  }
  Notice long_one = notice(NoticeKind::firing);
  for (int i = 0; i < 500; ++i) long_one.summary += "ü";
  long_one.value = std::numeric_limits<double>::quiet_NaN();
  long_one.key += std::string(300, 'k');
  ASSERT_TRUE(tell(pagerduty(), long_one));
  EXPECT_EQ(received()["faults"], json::array());
}

TEST_F(ChannelTest, each_severity_is_one_of_pagerduty_s) {
  for (const char* severity : {"info", "warning", "error", "critical"}) {
    Notice one = notice(NoticeKind::firing);
    one.severity = severity;
    ASSERT_TRUE(tell(pagerduty(), one));
    EXPECT_EQ(received()["event"]["payload"]["severity"], severity);
  }
}

TEST_F(ChannelTest, a_test_wakes_nobody_for_long) {
  ASSERT_TRUE(send_test(pagerduty(), {.folder = folder_->path()}, "north", parse_rfc3339("2026-01-02").value()));
  const json first = received(), second = received();
  EXPECT_EQ(first["event"]["event_action"], "trigger");
  EXPECT_EQ(second["event"]["event_action"], "resolve");
  EXPECT_EQ(first["event"]["dedup_key"], second["event"]["dedup_key"]);
}

TEST_F(ChannelTest, mail_is_well_formed_and_what_follows_is_a_reply_to_the_first) {
  for (const char* scheme : {"smtps", "smtp"}) {
    const auto told = tell(email(scheme), notice(NoticeKind::firing));
    ASSERT_TRUE(told) << scheme << ": " << told.error().message;
    const json first = received();
    EXPECT_EQ(first["mail"]["subject"], "[critical] north: role_down: up is 0, below 1");
    EXPECT_EQ(first["mail"]["from"], "\"RLTune\" <alerts@north.example.com>");
    EXPECT_EQ(first["mail"]["to"], "oncall@example.com, second@example.com");
    EXPECT_EQ(first["mail"]["date"], "2026-01-02T00:05:00.000Z");
    EXPECT_EQ(first["sender"], "alerts@north.example.com");
    EXPECT_EQ(first["recipients"], (json{"oncall@example.com", "second@example.com"}));
    EXPECT_THAT(first["mail"]["text"].get<std::string>(), HasSubstr("What to do first: look\n"));
    EXPECT_THAT(first["mail"]["text"].get<std::string>(), HasSubstr("role: io\n"));
    EXPECT_EQ(first["mail"]["reply_to"], nullptr);
    EXPECT_EQ(first["secure"], true);
    ASSERT_TRUE(tell(email(scheme), notice(NoticeKind::resolved, 9)));
    const json second = received();
    EXPECT_THAT(second["mail"]["subject"].get<std::string>(), HasSubstr("Resolved [critical]"));
    EXPECT_EQ(second["mail"]["reply_to"], first["mail"]["id"]);
    EXPECT_EQ(second["mail"]["references"], first["mail"]["id"]);
    EXPECT_NE(second["mail"]["id"], first["mail"]["id"]);
  }
}

TEST_F(ChannelTest, nothing_in_an_alert_becomes_a_header_and_any_language_is_read_as_it_was_written) {
  Notice odd = notice(NoticeKind::firing);
  odd.summary = "Wärme über Grenze 温室 \r\nBcc: thief@example.com\r\n\r\n.\r\nand more " + std::string(300, 'x');
  odd.key = "rule <a@b>\r\nX: y.1";
  ASSERT_TRUE(tell(email("smtps"), odd));
  const json got = received();
  EXPECT_THAT(got["mail"]["subject"].get<std::string>(), HasSubstr("Wärme über Grenze 温室   Bcc: thief@example.com"));
  EXPECT_EQ(got["recipients"].size(), 2U);
  const std::string raw = got["raw"], head = raw.substr(0, raw.find("\r\n\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("\nBcc:")));
  EXPECT_THAT(head, Not(HasSubstr("\nX:")));
  EXPECT_THAT(got["mail"]["text"].get<std::string>(), HasSubstr("\n.\nand more"));
  std::size_t longest = 0, at = 0;
  for (std::size_t end = 0; (end = raw.find("\r\n", at)) != std::string::npos; at = end + 2)
    longest = std::max(longest, end - at);
  EXPECT_LE(longest, 998U);
}

TEST_F(ChannelTest, what_will_never_be_taken_is_told_from_what_may_be_later) {
  config::Channel refused = webhook();
  refused.url = url("https", "/refused");
  EXPECT_EQ(tell(refused, notice(NoticeKind::firing)).error().code, Errc::mismatch);
  config::Channel nobody = webhook();
  nobody.url = "https://127.0.0.1:1/hook";
  EXPECT_EQ(tell(nobody, notice(NoticeKind::firing)).error().code, Errc::disconnected);
  config::Channel stranger = webhook();
  stranger.ca_file = "other-ca.pem";
  EXPECT_EQ(tell(stranger, notice(NoticeKind::firing)).error().code, Errc::denied);
  config::Channel password = email("smtp");
  password.password_file = "wrong.key";
  EXPECT_EQ(tell(password, notice(NoticeKind::firing)).error().code, Errc::denied);
  config::Channel missing = pagerduty();
  missing.routing_key_file = "none.key";
  const auto told = tell(missing, notice(NoticeKind::firing));
  EXPECT_EQ(told.error().code, Errc::not_found);
  config::Channel unset = pagerduty();
  unset.routing_key_file.clear();
  unset.routing_key_env = "RLTUNE_TEST_NO_SUCH_VARIABLE";
  EXPECT_THAT(tell(unset, notice(NoticeKind::firing)).error().message, HasSubstr("RLTUNE_TEST_NO_SUCH_VARIABLE"));
}

TEST_F(ChannelTest, no_fault_holds_a_secret) {
  config::Channel wrong = pagerduty();
  wrong.routing_key_file = "wrong.key";
  const auto told = tell(wrong, notice(NoticeKind::firing));
  ASSERT_FALSE(told);
  EXPECT_THAT(received()["faults"].dump(), HasSubstr("routing_key"));
  EXPECT_EQ(told.error().code, Errc::mismatch);
  config::Channel password = email("smtps");
  password.password_file = "wrong.key";
  const auto mailed = tell(password, notice(NoticeKind::firing));
  ASSERT_FALSE(mailed);
  for (const Error& error : {told.error(), mailed.error()}) {
    EXPECT_THAT(error.message, Not(HasSubstr("word")));
    EXPECT_THAT(error.message, Not(HasSubstr("key")));
  }
}

}  // namespace
}  // namespace rltune::alerts
