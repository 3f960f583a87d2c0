// What a plant's own record says of a set-point, and whether that keeps a site's rules. The rules are judged anew
// here, from the figures of the site's file: nothing of the guard's, io's or the decision log is asked.
#pragma once

#include <algorithm>
#include <cmath>
#include <deque>
#include <format>
#include <functional>
#include <string>
#include <vector>

#include "rltune/config/site.hpp"
#include "test_client.hpp"

namespace rltune::testing {

// What stood at a set-point from this moment of the plant's clock on.
struct Stood {
  double time_s = 0.0;
  double value = 0.0;
};
using PlantRecord = std::vector<Stood>;

// The history as a server gives it, oldest first.
inline PlantRecord record_of(const std::vector<twin::testing::Change>& history) {
  PlantRecord record;
  for (const auto& change : history)
    if (change.has_value)
      record.push_back(
          {static_cast<double>(change.source_time - history.front().source_time) / UA_DATETIME_SEC, change.value});
  return record;
}

inline std::size_t changes_of(const PlantRecord& record) {
  std::size_t changes = 0;
  for (std::size_t i = 1; i < record.size(); ++i) changes += record[i].value != record[i - 1].value ? 1 : 0;
  return changes;
}

struct Rules {
  config::OutputRule rule;
  double period_s = 0.0;                            // of the agent: a longer pause earns no larger change; 0: no rate
  std::function<bool(double time_s)> tripped = {};  // an interlock demands the safe value at this time
};

// Entries of one moment of the plant's clock may be some ticks of OPC UA (100 ns) apart.
constexpr double kTimeSlack_s = 1e-4;

struct Judgement {
  std::vector<std::string> breaches;
  std::size_t changes = 0;
  std::size_t starts = 0;
  std::size_t trips = 0;  // moments at which an interlock demanded the safe value
};

class RecordJudge {
 public:
  RecordJudge(const Rules& rules, const PlantRecord& record) : rules_(rules), rule_(rules.rule), record_(record) {}

  Judgement judge() {
    if (record_.empty()) return {.breaches = {"there is no record of " + rule_.tag}};
    stands_ = record_.front();
    switched_s_ = stands_.time_s;
    for (std::size_t i = 0; i < record_.size(); ++i) {
      const bool tripped = rules_.tripped && rules_.tripped(record_[i].time_s);
      if (record_[i].value != stands_.value) change_to(record_[i], tripped);
      const bool last_of_its_time = i + 1 == record_.size() || record_[i + 1].time_s - record_[i].time_s > kTimeSlack_s;
      // What stands when the record ends may not have been judged yet.
      if (!tripped || !last_of_its_time || i + 1 == record_.size()) continue;
      ++out_.trips;
      if (record_[i].value != rule_.safe_value)
        breach(record_[i], "an interlock tripped and its safe value was not written");
    }
    return out_;
  }

 private:
  void breach(const Stood& at, const std::string& what) {
    out_.breaches.push_back(
        std::format("{}: {}: {} -> {} at {:.3f} s", rule_.tag, what, stands_.value, at.value, at.time_s));
  }
  bool is_on(double value) const { return value > rule_.on_above; }

  void change_to(const Stood& next, bool tripped) {
    ++out_.changes;
    if (!std::isfinite(next.value)) breach(next, "is not finite");
    if (next.value < rule_.limits.low || next.value > rule_.limits.high) breach(next, "is outside its limits");
    if (!tripped) {
      check_pace(next);
      check_switch(next);
    }
    if (is_on(next.value) != is_on(stands_.value)) {
      switched_s_ = next.time_s;
      if (is_on(next.value)) starts_s_.push_back(next.time_s), ++out_.starts;
    }
    stands_ = next;
    changed_s_ = next.time_s;
  }

  // From a value outside the limits the first write is the nearest limit, however far that is.
  void check_pace(const Stood& next) {
    if (stands_.value < rule_.limits.low || stands_.value > rule_.limits.high) return;
    const double change = std::abs(next.value - stands_.value), slack = 1e-6 * (rule_.limits.high - rule_.limits.low);
    if (rule_.step_max > 0.0 && change > rule_.step_max + slack) breach(next, "changed by more than its step");
    const double earned_s = std::min(next.time_s - changed_s_, rules_.period_s) + kTimeSlack_s;
    if (rule_.rate_per_s > 0.0 && change > rule_.rate_per_s * earned_s + slack)
      breach(next, "changed faster than its rate");
  }

  void check_switch(const Stood& next) {
    if (is_on(next.value) == is_on(stands_.value)) return;
    const double lasted_s = next.time_s - switched_s_ + kTimeSlack_s;
    if (!is_on(next.value)) {
      if (lasted_s < rule_.minimum_on_s) breach(next, "was on for too short a time");
      return;
    }
    if (lasted_s < rule_.minimum_off_s) breach(next, "was off for too short a time");
    const auto in_the_hour =
        std::ranges::count_if(starts_s_, [&](double start_s) { return next.time_s - start_s < 3600.0 - kTimeSlack_s; });
    if (rule_.starts_per_hour > 0.0 && static_cast<double>(in_the_hour) >= rule_.starts_per_hour)
      breach(next, "was started too often");
  }

  const Rules& rules_;
  const config::OutputRule& rule_;
  const PlantRecord& record_;
  Judgement out_;
  Stood stands_;
  double changed_s_ = 0.0, switched_s_ = 0.0;
  std::deque<double> starts_s_;
};

inline Judgement judge(const Rules& rules, const PlantRecord& record) { return RecordJudge(rules, record).judge(); }

}  // namespace rltune::testing
