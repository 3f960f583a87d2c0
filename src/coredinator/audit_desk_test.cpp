#include "audit_desk.hpp"

#include <gtest/gtest.h>

#include "manual_clock.hpp"
#include "rltune/audit/log.hpp"
#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::coredinator {
namespace {

const TimePoint kFirstLine = parse_rfc3339("2026-01-02T10:00:00Z").value();

class AuditDeskTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ManualClock clock(kFirstLine);
    auto log = audit::Log::open(folder_.path(), "io", clock);
    ASSERT_TRUE(log) << log.error().message;
    for (int i = 0; i < 3; ++i)
      ASSERT_TRUE(log->append(
          {.actor = "ada", .action = "mode.change", .reason = std::to_string(i), .details = {{"to", "manual"}}}));
    ASSERT_TRUE(log->sign_head());
  }
  v1::AuditVerificationAnswer verified() const {
    v1::AuditVerificationAnswer answer;
    const auto done = desk_.verify(answer);
    EXPECT_TRUE(done) << done.error().message;
    return answer;
  }

  TemporaryFolder folder_;
  AuditDesk desk_{folder_.path()};
};

TEST_F(AuditDeskTest, lines_come_in_pages) {
  v1::AuditRequest request;
  request.set_from_unix_ns(kFirstLine.time_since_epoch().count());
  request.set_to_unix_ns((kFirstLine + std::chrono::hours(1)).time_since_epoch().count());
  request.set_action("mode");
  request.set_limit(2);
  v1::AuditAnswer first, second;
  ASSERT_TRUE(desk_.lines(request, first));
  ASSERT_EQ(first.lines_size(), 2);
  EXPECT_EQ(first.lines(0).details().at("to"), "manual");
  request.set_after(first.next_after());
  ASSERT_TRUE(desk_.lines(request, second));
  ASSERT_EQ(second.lines_size(), 1);
  EXPECT_EQ(second.lines(0).sequence(), 3U);
  EXPECT_EQ(second.lines(0).reason(), "2");
  EXPECT_TRUE(second.next_after().empty());
  request.set_after("nonsense/1");
  EXPECT_EQ(desk_.lines(request, second).error().code, Errc::invalid_argument);
}

TEST_F(AuditDeskTest, a_line_that_was_changed_is_named) {
  v1::AuditVerificationAnswer good = verified();
  EXPECT_EQ(good.faults_size(), 0);
  ASSERT_EQ(good.roles_size(), 1);
  EXPECT_EQ(good.roles(0).last_signed(), 3U);
  EXPECT_EQ(good.key().size(), 64U);
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path() / "io")) {
    if (!entry.path().filename().string().starts_with("audit-")) continue;
    std::string text = read_file(entry.path()).value();
    text.replace(text.find("\"1\""), 3, "\"9\"");
    ASSERT_TRUE(write_file(entry.path(), text));
  }
  const v1::AuditVerificationAnswer bad = verified();
  ASSERT_GE(bad.faults_size(), 1);
  EXPECT_EQ(bad.faults(0).role(), "io");
  EXPECT_EQ(bad.faults(0).line(), 2U);
  EXPECT_GE(bad.roles(0).faults(), 1U);
}

}  // namespace
}  // namespace rltune::coredinator
