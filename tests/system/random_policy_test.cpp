// 24 simulated hours of a whole site whose policy acts at random, within its action box and beyond it: real io, agent
// and twin in lockstep over OPC UA. The twin's own record shows no breach of any of the site's rules, and a record with
// a breach in it is found out.
#include <map>
#include <sstream>

#include "pilot_site.hpp"
#include "rltune/guard/guard.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using testing::judge;
using testing::Judgement;
using testing::PilotSite;
using testing::PlantRecord;
using testing::Rules;

constexpr double kPeriod_s = 1000.0 / 60.0;  // of the four tanks
constexpr int kSteps = 5184;                 // of a day
constexpr double kLevelMax = 0.15;           // m in tank 2: pump 2 has to stop

// Every kind of rule that a site can have for an output: pump 1 is a valve that moves slowly, pump 2 a motor.
std::string pump_rule(const std::string& tag, double, double) {
  if (tag == "pump_voltage_1")
    return "      limits: {low: 1, high: 8.5}\n      safe_value: 1\n      rate_per_s: 0.1\n      step_max: 1.2\n";
  return "      limits: {low: 0.1, high: 8}\n      safe_value: 0.1\n      step_max: 6\n      on_above: 3\n"
         "      minimum_on_s: 60\n      minimum_off_s: 120\n      starts_per_hour: 8\n";
}

// Proposes from far below what a pump can do to far above it.
void act_at_random(policy::Artifact& artifact) {
  testing::make_restless(artifact);
  for (env::Actuation& part : artifact.manifest.action) part.low = -10.0, part.high = 20.0;
}

testing::PilotOptions a_day_at_random() {
  return {.plant = "four-tank",
          .period_s = kPeriod_s,
          .days = 1,
          .rule = pump_rule,
          .interlocks = std::format("    - name: full\n      require: level_2 < {}\n      outputs: [pump_voltage_2]\n",
                                    kLevelMax),
          .twin_arguments = {"--days", "1", "--observation-noise", "0.1", "--shed-after", "0", "--seed", "7"},
          .change_policy = act_at_random};
}

// The first change from `from` on that `fits`; the breach is made there.
std::size_t find_change(const PlantRecord& record, std::size_t from,
                        const std::function<bool(double before, double after)>& fits) {
  for (std::size_t i = std::max<std::size_t>(from, 1); i < record.size(); ++i)
    if (record[i].value != record[i - 1].value && fits(record[i - 1].value, record[i].value)) return i;
  ADD_FAILURE() << "the record has no such change";
  return 0;
}

void expect_breach(const Rules& rules, const PlantRecord& record, const std::string& words) {
  const Judgement judged = judge(rules, record);
  EXPECT_TRUE(std::ranges::any_of(judged.breaches,
                                  [&](const std::string& breach) { return breach.find(words) != std::string::npos; }))
      << "nobody saw that " << rules.rule.tag << " " << words;
}

class RandomPolicy : public ::testing::Test {
 protected:
  // One day for every test of the suite.
  static void SetUpTestSuite() {
    site_ = std::make_unique<PilotSite>(a_day_at_random());
    ASSERT_NO_FATAL_FAILURE(site_->start());
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(PilotSite::eventually([] { return site_->value("clock_step") >= kSteps; }, 300s))
        << site_->value("clock_step") << " steps\n"
        << site_->everything();
    std::printf("24 hours in closed loop: %.1f s\n",
                std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    levels_ = site_->record("level_2");
    for (const config::OutputRule& rule : site_->rules()) {
      rules_.push_back({.rule = rule, .period_s = kPeriod_s});
      records_.push_back(site_->record(rule.tag));
    }
    ASSERT_EQ(rules_.size(), 2U);
    rules_[1].tripped = [](double time_s) {
      const auto next = std::ranges::upper_bound(levels_, time_s, {}, &testing::Stood::time_s);
      return next != levels_.begin() && !((next - 1)->value < kLevelMax);
    };
  }
  static void TearDownTestSuite() { site_.reset(); }

  // The record with `value` written where the index says, and standing until the next change.
  static PlantRecord with(PlantRecord record, std::size_t index, double value) {
    const double before = record[index].value;
    for (std::size_t i = index; i < record.size() && record[i].value == before; ++i) record[i].value = value;
    return record;
  }

  static inline std::unique_ptr<PilotSite> site_;
  static inline std::vector<Rules> rules_;
  static inline std::vector<PlantRecord> records_;
  static inline PlantRecord levels_;
};

TEST_F(RandomPolicy, breaches_no_rule_in_24_hours) {
  for (std::size_t output = 0; output < 2; ++output) {
    const Judgement judged = judge(rules_[output], records_[output]);
    std::printf("%s: %zu changes, %zu starts, %zu interlock trips, %zu breaches\n", rules_[output].rule.tag.c_str(),
                judged.changes, judged.starts, judged.trips, judged.breaches.size());
    EXPECT_TRUE(judged.breaches.empty()) << judged.breaches.size() << ", the first: " << judged.breaches.front();
    EXPECT_NEAR(records_[output].back().time_s, 86'400.0, 1e-3);
  }
  // It did drive the plant, and every rule had something to stop.
  EXPECT_GT(judge(rules_[0], records_[0]).changes, 2000U);
  const Judgement motor = judge(rules_[1], records_[1]);
  EXPECT_GT(motor.changes, 500U);
  EXPECT_GT(motor.starts, 24U);
  EXPECT_GT(motor.trips, 20U);
  std::map<std::string, std::size_t> reasons;
  double lowest = 0.0, highest = 0.0;
  for (const historian::Decision& decision : site_->recorded())
    for (const historian::DecisionOutput& output : decision.outputs) {
      lowest = std::min(lowest, output.proposed), highest = std::max(highest, output.proposed);
      std::istringstream words(guard::describe(output.reasons));
      for (std::string word; std::getline(words, word, ',');) ++reasons[word.substr(word.find_first_not_of(' '))];
    }
  EXPECT_LT(lowest, -5.0);
  EXPECT_GT(highest, 15.0);
  for (const char* reason :
       {"limit_low", "limit_high", "rate", "minimum_on_time", "minimum_off_time", "starts_per_hour", "interlock"}) {
    std::printf("%s: %zu\n", reason, reasons[reason]);
    EXPECT_GT(reasons[reason], 0U) << reason;
  }
}

// Each kind of breach, put into the record of the day that had none.
TEST_F(RandomPolicy, a_breach_in_the_record_is_found) {
  const auto any = [](double, double) { return true; };
  const PlantRecord &valve = records_[0], &motor = records_[1];
  expect_breach(rules_[0], with(valve, find_change(valve, 2000, any), 8.6), "is outside its limits");
  expect_breach(rules_[0], with(valve, find_change(valve, 2000, any), std::nan("")), "is not finite");
  const std::size_t low = find_change(valve, 2000, [](double before, double) { return before < 3.0 && before > 1.0; });
  expect_breach(rules_[0], with(valve, low, valve[low - 1].value + 1.25), "changed by more than its step");
  Rules slow = rules_[0];
  slow.rule.step_max = 0.0;
  slow.rule.rate_per_s = 0.07;
  expect_breach(slow, with(valve, low, valve[low - 1].value + 1.19), "changed faster than its rate");
  EXPECT_TRUE(judge({.rule = rules_[0].rule, .period_s = kPeriod_s}, valve).breaches.empty());

  const std::size_t start =
      find_change(motor, 2000, [](double before, double after) { return before <= 3 && after > 3; });
  const std::size_t off =
      find_change(motor, start, [](double before, double after) { return before > 3 && after <= 3; });
  PlantRecord blink = motor;
  blink.insert(blink.begin() + static_cast<std::ptrdiff_t>(start) + 1, {motor[start].time_s + kPeriod_s, 0.1});
  expect_breach({.rule = rules_[1].rule, .period_s = kPeriod_s}, blink, "was on for too short a time");
  PlantRecord again = motor;
  again.insert(again.begin() + static_cast<std::ptrdiff_t>(off) + 1, {motor[off].time_s + kPeriod_s, 5.0});
  expect_breach({.rule = rules_[1].rule, .period_s = kPeriod_s}, again, "was off for too short a time");
  PlantRecord busy{{0.0, 0.1}};
  for (int i = 1; i <= 9; ++i) {
    busy.push_back({400.0 * i - 200.0, 5.0});
    busy.push_back({400.0 * i, 0.1});
  }
  expect_breach({.rule = rules_[1].rule, .period_s = kPeriod_s}, busy, "was started too often");
  busy.resize(busy.size() - 2);
  EXPECT_TRUE(judge({.rule = rules_[1].rule, .period_s = kPeriod_s}, busy).breaches.empty());
  Rules always = rules_[1];
  always.tripped = [](double) { return true; };
  expect_breach(always, motor, "an interlock tripped and its safe value was not written");
}

}  // namespace
}  // namespace rltune
