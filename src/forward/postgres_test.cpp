// Logs and metrics into PostgreSQL with TimescaleDB.
#include <gmock/gmock.h>

#include <cmath>

#include "database_process.hpp"
#include "forward_fixture.hpp"

namespace rltune::forward {
namespace {

using namespace std::chrono_literals;
using rltune::testing::DatabaseProcess;
using ::testing::HasSubstr;

class PostgresTest : public ForwardFixture {
 protected:
  static void SetUpTestSuite() {
    if (DatabaseProcess::installed()) database_ = std::make_unique<DatabaseProcess>();
  }
  static void TearDownTestSuite() { database_.reset(); }
  void SetUp() override {
    if (!database_) GTEST_SKIP() << "postgresql-17 is not installed";
    database_->execute("DROP TABLE IF EXISTS rltune_logs; DROP TABLE IF EXISTS rltune_metrics");
  }
  static config::Sink sink() {
    return {.name = "store",
            .kind = "postgres",
            .url = database_->url(),
            .user = DatabaseProcess::kUser,
            .batch_max_kb = 16,
            .interval_s = 0.01};
  }
  static long number(const std::string& query) { return database_->execute(query).one_field().as<long>(); }

  static inline std::unique_ptr<DatabaseProcess> database_;
};

TEST_F(PostgresTest, logs_are_rows_once_whatever_is_sent_again) {
  for (int i = 0; i < 500; ++i) add_log("entry " + std::to_string(i), {{"steps", i}, {"text", "ü'\"\\"}});
  for (int turn = 0; turn < 2; ++turn) {
    forget_progress();
    const auto forwarder = start(sink(), "logs", 5s);
    ASSERT_TRUE(eventually([&] { return forwarder->taken() == 500; })) << forwarder->figures().trouble;
    EXPECT_EQ(forwarder->figures().refused, 0U);
  }
  EXPECT_EQ(number("SELECT count(*) FROM rltune_logs"), 500);
  EXPECT_EQ(number("SELECT count(DISTINCT record_id) FROM rltune_logs WHERE site = 'north' AND service = 'io'"), 500);
  EXPECT_EQ(number("SELECT (attributes->>'steps')::int FROM rltune_logs WHERE record_id = '" +
                   record_id(kBuffer, "logs", 8) + "' AND attributes->>'text' = 'ü''\"\\'"),
            7);
  EXPECT_EQ(number("SELECT count(*) FROM timescaledb_information.hypertables WHERE hypertable_name LIKE 'rltune_%'"),
            2);
}

TEST_F(PostgresTest, metrics_are_rows_to_the_bit) {
  add_metric({"rltune_a", {{"role", "io"}}, 1'756'116'000'123, 0.1 + 0.2});
  add_metric({"rltune_a", {}, 1, -INFINITY});
  add_metric({"rltune_a", {}, 2, NAN});
  const auto forwarder = start(sink(), "metrics", 5s);
  ASSERT_TRUE(eventually([&] { return forwarder->taken() == 3; })) << forwarder->figures().trouble;
  EXPECT_EQ(number("SELECT count(*) FROM rltune_metrics"), 3);
  EXPECT_EQ(database_
                ->execute("SELECT value FROM rltune_metrics WHERE labels->>'role' = 'io' AND time = "
                          "'2025-08-25T10:00:00.123Z'")
                .one_field()
                .as<double>(),
            0.1 + 0.2);
  EXPECT_EQ(number("SELECT count(*) FROM rltune_metrics WHERE value IN ('NaN', '-Infinity')"), 2);
}

TEST_F(PostgresTest, what_no_column_can_hold_is_a_dead_letter_and_the_rest_is_there) {
  for (int i = 0; i < 20; ++i) add_log(i == 7 ? std::string("zero \0 byte", 11) : "entry");
  const auto forwarder = start(sink(), "logs", 5s);
  ASSERT_TRUE(eventually([&] { return forwarder->taken() == 20; })) << forwarder->figures().trouble;
  EXPECT_EQ(forwarder->figures().refused, 1U);
  EXPECT_EQ(number("SELECT count(*) FROM rltune_logs"), 19);
}

TEST_F(PostgresTest, a_database_that_dies_and_comes_back_has_each_row_once) {
  for (int i = 0; i < 3000; ++i) add_log("entry " + std::to_string(i));
  config::Sink small = sink();
  small.batch_max_kb = 4;
  const auto forwarder = start(small, "logs", 5s);
  ASSERT_TRUE(eventually([&] { return forwarder->taken() > 100; })) << forwarder->figures().trouble;
  database_->stop();
  ASSERT_TRUE(eventually([&] { return !forwarder->figures().trouble.empty() || forwarder->taken() == 3000; }));
  database_->start();
  ASSERT_TRUE(eventually([&] { return forwarder->taken() == 3000; })) << forwarder->figures().trouble;
  EXPECT_EQ(number("SELECT count(*) FROM rltune_logs"), 3000);
  EXPECT_EQ(forwarder->figures().refused, 0U);
}

TEST_F(PostgresTest, a_user_that_it_does_not_know_waits_and_loses_nothing) {
  config::Sink wrong = sink();
  wrong.user = "nobody";
  add_log("entry");
  const auto forwarder = start(wrong, "logs", 5s);
  EXPECT_TRUE(eventually([&] { return forwarder->figures().trouble.contains("nobody"); }))
      << forwarder->figures().trouble;
  EXPECT_EQ(forwarder->taken(), 0U);
  EXPECT_EQ(forwarder->figures().refused, 0U);
}

}  // namespace
}  // namespace rltune::forward
