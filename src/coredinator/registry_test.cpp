#include "registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rltune/base/file.hpp"
#include "rltune/base/random.hpp"
#include "rltune/sqlite/sqlite.hpp"
#include "rltune/vault/vault.hpp"
#include "rollout.hpp"
#include "scratch_folder.hpp"
#include "victim.hpp"

namespace rltune::coredinator {
namespace {

using historian::ScratchFolder;
using historian::Victim;
using testing::HasSubstr;

Version version(const std::string& number, VersionState state = VersionState::staged) {
  Version made;
  made.version = number;
  made.artifact_sha256 = "sha-" + number;
  made.state = state;
  return made;
}

class RegistryTest : public testing::Test {
 protected:
  Registry open() {
    auto registry = Registry::open(file_, clock_);
    EXPECT_TRUE(registry) << registry.error().message;
    return std::move(*registry);
  }
  // "0.0.0 active, 1.0.0 shadow"
  static std::string states(const Registry& registry) {
    std::string text;
    const AgentRecord agent = registry.agent("climate").value();
    for (const Version& one : agent.versions)
      text += (text.empty() ? "" : ", ") + one.version + " " + to_string(one.state);
    return text;
  }
  ScratchFolder folder_;
  const std::filesystem::path file_ = folder_.path() / "data" / "registry.db";
  const WallClock clock_;
  const Author nobody_{"coredinator", ""};
};

TEST_F(RegistryTest, an_agent_begins_with_the_sites_own_policy_and_is_introduced_once) {
  Registry registry = open();
  ASSERT_TRUE(registry.introduce("climate"));
  ASSERT_TRUE(registry.introduce("climate"));
  const AgentRecord agent = registry.agent("climate").value();
  EXPECT_TRUE(agent.running);
  EXPECT_EQ(agent.epoch, 0U);
  ASSERT_EQ(agent.versions.size(), 1U);
  EXPECT_EQ(instance_of("climate", agent.versions[0]), "climate");
  EXPECT_THAT(registry.agent("light").error().message, HasSubstr("climate"));
}

TEST_F(RegistryTest, a_version_is_kept_with_all_that_was_asked_for_it) {
  Version asked = version("1.2.0-rc.1");
  asked.traffic = {.evaluation_seasons = 3,
                   .shadow_s = 1.5,
                   .shadow_proposals = 7,
                   .canary_percent = {5.0, 12.5},
                   .canary_s = 2.5,
                   .probation_s = 3.5,
                   .hold = true,
                   .latency_max_s = 0.25,
                   .memory_max_mib = 300.0,
                   .objective_drop = 0.5};
  {
    Registry registry = open();
    ASSERT_TRUE(registry.introduce("climate"));
    ASSERT_TRUE(registry.add("climate", asked, {"eve", "it is better"}));
  }
  const AgentRecord agent = open().agent("climate").value();
  const Version* kept = agent.find("1.2.0-rc.1");
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->traffic.evaluation_seasons, 3U);
  EXPECT_EQ(kept->traffic.shadow_s, 1.5);
  EXPECT_EQ(kept->traffic.shadow_proposals, 7U);
  EXPECT_EQ(kept->traffic.canary_percent, (std::vector<double>{5.0, 12.5}));
  EXPECT_EQ(kept->traffic.canary_s, 2.5);
  EXPECT_EQ(kept->traffic.probation_s, 3.5);
  EXPECT_TRUE(kept->traffic.hold);
  EXPECT_EQ(kept->traffic.latency_max_s, 0.25);
  EXPECT_EQ(kept->traffic.memory_max_mib, 300.0);
  EXPECT_EQ(kept->traffic.objective_drop, 0.5);
  EXPECT_EQ(agent.find(kFirstVersion)->traffic.objective_drop, std::nullopt);
  EXPECT_EQ(instance_of("climate", *kept), "climate@1.2.0-rc.1");
}

TEST_F(RegistryTest, a_number_that_is_taken_or_no_version_is_refused) {
  Registry registry = open();
  ASSERT_TRUE(registry.introduce("climate"));
  ASSERT_TRUE(registry.add("climate", version("1.0.0"), nobody_));
  EXPECT_FALSE(registry.add("climate", version("1.0.0"), nobody_));
  for (const char* wrong : {"", "1", "1.2", "v1.2.3", "1.2.3.4", "01.2.3", "1.2.3-", "1.2.3-a..b", "1.2.3/../../x"})
    EXPECT_FALSE(registry.add("climate", version(wrong), nobody_)) << wrong;
  EXPECT_TRUE(registry.add("climate", version("1.2.3-a.b+c-1"), nobody_));
}

TEST_F(RegistryTest, a_switch_is_one_transaction_and_raises_the_epoch) {
  Registry registry = open();
  ASSERT_TRUE(registry.introduce("climate"));
  ASSERT_TRUE(registry.add("climate", version("1.0.0", VersionState::shadow), nobody_));
  const auto switched = promote(registry.agent("climate").value(), "1.0.0");
  ASSERT_TRUE(switched);
  ASSERT_TRUE(registry.commit("climate", *switched, {"eve", "tested for a week"}));
  EXPECT_EQ(states(registry), "0.0.0 standby, 1.0.0 active");
  EXPECT_EQ(registry.agent("climate")->epoch, 1U);
  const auto history = registry.history("climate", 10).value();
  EXPECT_EQ(history[0].to, "active");
  EXPECT_EQ(history[0].user, "eve");
  EXPECT_EQ(history[0].epoch, 1U);
  EXPECT_THAT(history[0].reason, HasSubstr("tested for a week"));
}

TEST_F(RegistryTest, the_active_version_and_the_one_on_standby_change_places) {
  Registry registry = open();
  ASSERT_TRUE(registry.introduce("climate"));
  ASSERT_TRUE(registry.add("climate", version("1.0.0", VersionState::shadow), nobody_));
  for (const char* next : {"1.0.0", "0.0.0", "1.0.0"}) {
    const auto switched = promote(registry.agent("climate").value(), next);
    ASSERT_TRUE(switched);
    const auto done = registry.commit("climate", *switched, nobody_);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(registry.agent("climate")->in_state(VersionState::active)->version, next);
  }
  EXPECT_EQ(states(registry), "0.0.0 standby, 1.0.0 active");
  EXPECT_EQ(registry.agent("climate")->epoch, 3U);
}

TEST_F(RegistryTest, the_schema_forbids_two_active_versions_and_none) {
  Registry registry = open();
  ASSERT_TRUE(registry.introduce("climate"));
  ASSERT_TRUE(registry.add("climate", version("1.0.0", VersionState::shadow), nobody_));
  const std::vector<Transition> second{{"1.0.0", VersionState::active, ""}};
  const auto two = registry.commit("climate", second, nobody_);
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().code, Errc::mismatch);
  const std::vector<Transition> none{{"0.0.0", VersionState::retired, ""}};
  EXPECT_FALSE(registry.commit("climate", none, nobody_));
  const std::vector<Transition> half{{"0.0.0", VersionState::standby, ""}, {"9.9.9", VersionState::active, ""}};
  EXPECT_FALSE(registry.commit("climate", half, nobody_));
  EXPECT_EQ(states(registry), "0.0.0 active, 1.0.0 shadow") << "nothing of what was refused stays";
  EXPECT_EQ(registry.agent("climate")->epoch, 0U);
}

TEST_F(RegistryTest, two_versions_are_not_tested_at_once) {
  Registry registry = open();
  ASSERT_TRUE(registry.introduce("climate"));
  ASSERT_TRUE(registry.add("climate", version("1.0.0", VersionState::canary), nobody_));
  EXPECT_FALSE(registry.add("climate", version("2.0.0", VersionState::validating), nobody_));
  EXPECT_TRUE(registry.add("climate", version("2.0.0"), nobody_));
}

TEST_F(RegistryTest, what_an_agent_is_meant_to_do_stays) {
  {
    Registry registry = open();
    ASSERT_TRUE(registry.introduce("climate"));
    ASSERT_TRUE(registry.set_running("climate", false, {"eve", "service"}));
  }
  Registry registry = open();
  ASSERT_TRUE(registry.introduce("climate"));
  EXPECT_FALSE(registry.agent("climate")->running);
  EXPECT_EQ(registry.history("climate", 1).value()[0].to, "stopped");
}

TEST_F(RegistryTest, a_damaged_file_is_told_from_a_missing_one) {
  ASSERT_TRUE(write_file(file_, std::string(4096, 'x')));
  const auto registry = Registry::open(file_, clock_);
  ASSERT_FALSE(registry);
  EXPECT_EQ(registry.error().code, Errc::corrupt);
}

TEST_F(RegistryTest, for_a_damaged_file_its_copy_of_the_last_change_counts) {
  {
    Registry registry = open();
    ASSERT_TRUE(registry.introduce("climate"));
    ASSERT_TRUE(registry.add("climate", version("1.2.0"), nobody_));
    const Transition changes[] = {{.version = kFirstVersion, .to = VersionState::standby, .reason = {}},
                                  {.version = "1.2.0", .to = VersionState::active, .reason = "good"}};
    ASSERT_TRUE(registry.commit("climate", changes, nobody_));
  }
  // Other bytes, none of it, and whole again.
  for (const int size : {8192, 0, -1}) {
    if (size >= 0) {
      ASSERT_TRUE(write_file(file_, std::string(static_cast<std::size_t>(size), 'x')));
    }
    auto again = Registry::recover(file_, clock_);
    ASSERT_TRUE(again) << again.error().message;
    const auto agent = again->agent("climate");
    ASSERT_TRUE(agent) << agent.error().message;
    ASSERT_NE(agent->in_state(VersionState::active), nullptr);
    EXPECT_EQ(agent->in_state(VersionState::active)->version, "1.2.0");
    EXPECT_EQ(agent->epoch, 1U);
  }
  for (const char* ending : {"", ".copy"}) ASSERT_TRUE(write_file(file_.string() + ending, std::string(8192, 'x')));
  auto anew = Registry::recover(file_, clock_);
  ASSERT_TRUE(anew) << anew.error().message;
  EXPECT_TRUE(anew->agents()->empty());
}

// A child deploys, promotes and rolls back as fast as it can, and is killed.
TEST_F(RegistryTest, killed_at_any_moment_there_is_one_active_version_and_nothing_acknowledged_is_lost) {
  Random random(4);
  std::uint64_t acknowledged_in_all = 0;
  // A machine that is too busy for any to come so far gets longer rounds.
  for (int round = 0; round < 25 || (acknowledged_in_all == 0 && round < 100); ++round) {
    Victim victim([&](const Victim::Report& report) {
      Registry registry = open();
      if (!registry.introduce("climate")) ::_exit(3);
      for (std::uint64_t number = registry.agent("climate")->versions.size();; ++number) {
        const std::string name = std::to_string(round) + "." + std::to_string(number) + ".0";
        if (!registry.add("climate", version(name), nobody_)) ::_exit(4);
        const auto move = [&](VersionState to) {
          const std::vector<Transition> one{{name, to, "on"}};
          if (!registry.commit("climate", one, nobody_)) ::_exit(5);
        };
        move(VersionState::validating);
        move(VersionState::shadow);
        if (!registry.commit("climate", *promote(*registry.agent("climate"), name), nobody_)) ::_exit(6);
        if (number % 2 == 0 && !registry.commit("climate", *roll_back(*registry.agent("climate")), nobody_)) ::_exit(7);
        report(registry.agent("climate")->epoch);
      }
    });
    victim.kill_after(std::chrono::microseconds((10'000 + random.below(60'000)) * (1 + round / 25)));
    const std::uint64_t acknowledged = victim.last_report();
    acknowledged_in_all += acknowledged;
    Registry registry = open();
    const auto agents = registry.agents().value();
    if (agents.empty()) continue;  // killed before anything was there
    const AgentRecord& agent = agents[0];
    ASSERT_EQ(std::ranges::count(agent.versions, VersionState::active, &Version::state), 1);
    ASSERT_LE(std::ranges::count(agent.versions, VersionState::standby, &Version::state), 1);
    ASSERT_LE(std::ranges::count_if(agent.versions, [](const Version& one) { return in_test(one.state); }), 1);
    ASSERT_GE(agent.epoch, acknowledged);
    const auto history = registry.history("climate", 1'000'000).value();
    ASSERT_EQ(std::ranges::count(history, "active", &HistoryEntry::to), static_cast<std::int64_t>(agent.epoch) + 1)
        << "every switch is on record once";
    // A candidate that was left behind does not keep the next round from testing.
    if (const Version* candidate = agent.candidate()) {
      const std::vector<Transition> away{{candidate->version, VersionState::rolled_back, "left"}};
      ASSERT_TRUE(registry.commit("climate", away, nobody_));
    }
  }
  EXPECT_GT(acknowledged_in_all, 0U);
}

class EncryptedRegistryTest : public RegistryTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(vault::Key::make_file(key_));
    ASSERT_TRUE(vault::declare(file_.parent_path(), {.encrypted = true, .key_file = key_}));
  }
  void write_some() const {
    auto registry = Registry::open(file_, clock_);
    ASSERT_TRUE(registry) << registry.error().message;
    ASSERT_TRUE(registry->introduce("climate"));
    Version staged = version("1.0.0");
    staged.reason = "deployed from /home/eve.hall/policies";
    ASSERT_TRUE(registry->add("climate", staged, {"eve.hall", "it is better"}));
    ASSERT_TRUE(registry->set_running("climate", false, {"adam.otis", "service of the boiler"}));
    ASSERT_TRUE(registry->set_running("climate", true, nobody_));
  }
  std::string bytes() const {
    std::string all;
    for (const char* suffix : {"", "-wal"}) all += read_file(file_.string() + suffix).value_or("");
    return all;
  }
  void change(const std::string& sql) const {
    ASSERT_TRUE(sqlite::guarded(file_, [&] { sqlite::open_writer(file_, 1U << 20U)->exec(sql); }));
  }

  const std::filesystem::path key_ = folder_.path() / "keys" / "north";
};

TEST_F(EncryptedRegistryTest, who_and_why_open_with_the_key_alone) {
  write_some();
  for (const char* word : {"eve.hall", "adam.otis", "better", "boiler"})
    EXPECT_EQ(bytes().find(word), std::string::npos) << word;
  const auto history = open().history("climate", 10).value();
  ASSERT_EQ(history.size(), 4U);
  EXPECT_EQ(history[0].user, "coredinator");
  EXPECT_EQ(history[1].user, "adam.otis");
  EXPECT_EQ(history[1].reason, "service of the boiler");
  EXPECT_EQ(history[2].user, "eve.hall");
  EXPECT_EQ(history[2].reason, "it is better");
  EXPECT_EQ(open().agent("climate")->find("1.0.0")->reason, "deployed from /home/eve.hall/policies");

  std::filesystem::remove(key_);
  const Registry locked = open();
  EXPECT_FALSE(locked.may_record());
  EXPECT_THAT(locked.history("climate", 10).value()[1].user, HasSubstr("encrypted (key "));
  EXPECT_THAT(locked.agent("climate")->find("1.0.0")->reason, HasSubstr("encrypted (key "));
  EXPECT_EQ(locked.history("climate", 10).value()[0].user, "coredinator");
}

TEST_F(EncryptedRegistryTest, a_value_that_was_moved_to_another_row_or_column_is_refused) {
  write_some();
  change("UPDATE history SET user = (SELECT user FROM history WHERE number = 2) WHERE number = 3");
  change("UPDATE history SET user = (SELECT reason FROM history WHERE number = 2) WHERE number = 2");
  const auto history = open().history("climate", 10).value();
  EXPECT_THAT(history[1].user, HasSubstr("damaged ("));
  EXPECT_EQ(history[1].reason, "service of the boiler");
  EXPECT_THAT(history[2].user, HasSubstr("damaged ("));
}

TEST_F(EncryptedRegistryTest, without_the_key_transitions_go_on_and_no_word_of_a_person_is_written) {
  std::filesystem::remove(key_);
  write_some();
  EXPECT_EQ(bytes().find("adam.otis"), std::string::npos);
  const auto history = open().history("climate", 10).value();
  ASSERT_EQ(history.size(), 4U);
  EXPECT_EQ(history[1].user, vault::kWithheld);
  EXPECT_EQ(history[1].to, "stopped");
}

}  // namespace
}  // namespace rltune::coredinator
