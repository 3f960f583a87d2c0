#include "record.hpp"

#include <algorithm>
#include <cmath>
#include <format>
#include <limits>

#include "rltune/config/site.hpp"
#include "rltune/guard/guard.hpp"
#include "rltune/historian/historian.hpp"

namespace rltune::demo {
namespace {

constexpr std::size_t kPage = 5000;

double microseconds(Duration duration) { return static_cast<double>(duration.count()) / 1e3; }

class Reader {
 public:
  explicit Reader(const SeasonResult& season) : season_(season) {
    decided_.resize(season.steps);
    for (std::size_t step = 0; step <= season.steps; ++step)
      record_.days.push_back(static_cast<double>(step) * season.period_s / 86400.0);
  }

  Result<SeasonRecord> read() {
    auto site = config::load_site(season_.site);
    if (!site) return std::unexpected(site.error());
    auto historian = historian::Historian::open_reader(season_.data);
    if (!historian) return std::unexpected(historian.error());
    for (const config::Tag& tag : site->tags) {
      if (tag.elements > 1 || tag.role == config::TagRole::heartbeat) continue;
      if (auto done = read_tag(*historian, tag.name); !done) return std::unexpected(done.error());
    }
    for (const config::OutputRule& rule : site->guard.outputs) {
      record_.applied[rule.tag].assign(record_.days.size(), std::numeric_limits<double>::quiet_NaN());
      limits_[rule.tag] = rule;
    }
    record_.sample_to_write_by_step_us.assign(record_.days.size(), std::numeric_limits<double>::quiet_NaN());
    record_.wall_gap_ms_by_step = record_.sample_to_write_by_step_us;
    if (auto done = read_decisions(); !done) return std::unexpected(done.error());
    return std::move(record_);
  }

 private:
  TimePoint end() const {
    return season_.start + from_seconds(static_cast<double>(season_.steps + 2) * season_.period_s);
  }
  // The step at which a time lies, or one past the end.
  std::size_t step_of(TimePoint time) const {
    const double step = std::round(to_seconds(time - season_.start) / season_.period_s);
    return step < 0.0 ? record_.days.size() : static_cast<std::size_t>(step);
  }

  Result<> read_tag(const historian::Historian& historian, const std::string& tag) {
    std::vector<double>& values = record_.values[tag];
    values.assign(record_.days.size(), std::numeric_limits<double>::quiet_NaN());
    for (TimePoint from = season_.start; from < end();) {
      const auto page = historian.samples(tag, from, end(), kPage);
      if (!page) return std::unexpected(page.error());
      for (const Sample& sample : *page)
        if (const std::size_t step = step_of(sample.source_time);
            sample.quality == Quality::good && step < values.size())
          values[step] = sample.value;
      if (page->size() < kPage) break;
      from = page->back().source_time + Duration(1);
    }
    return {};
  }

  Result<> read_decisions() {
    std::string after;
    TimePoint from = season_.start - std::chrono::days(1);
    TimePoint last_policy{};
    std::vector<double> proposal, verdict, written, acknowledged;
    while (true) {
      const auto page = historian::read_decisions(season_.data / "decisions", from, end(), kPage, after);
      if (!page) return std::unexpected(page.error());
      for (const historian::Decision& decision : *page) {
        take(decision);
        if (decision.origin == "policy") {
          if (const std::size_t step = step_of(decision.time); step < season_.steps && last_policy != TimePoint{})
            record_.wall_gap_ms_by_step[step] = 1e3 * to_seconds(decision.wall_time - last_policy);
          last_policy = decision.wall_time;
          policy_decided_.push_back(decision.wall_time);
          proposal.push_back(microseconds(decision.proposal));
          verdict.push_back(microseconds(decision.verdict));
          written.push_back(microseconds(decision.sample_to_write));
          acknowledged.push_back(microseconds(decision.write_acknowledged));
        }
      }
      if (page->size() < kPage) break;
      after = page->back().id;
      from = page->back().time;
    }
    note_agent_gap();
    record_.proposal_us = quantiles(proposal);
    record_.verdict_us = quantiles(verdict);
    record_.sample_to_write_us = quantiles(written);
    record_.acknowledged_us = quantiles(acknowledged);
    return {};
  }

  // The successor's first decision ends the longest pause after the kill: what the dead one had proposed is decided
  // at once, and its successor decides as often as it did.
  void note_agent_gap() {
    constexpr auto kWindow = std::chrono::seconds(20);
    Duration longest{};
    for (const Incident& incident : season_.incidents)
      for (std::size_t i = 1; incident.what == "agent" && i < policy_decided_.size(); ++i) {
        const TimePoint now = policy_decided_[i], before = policy_decided_[i - 1];
        if (now < incident.killed || now - incident.killed > kWindow || now - before <= longest) continue;
        longest = now - before;
        record_.agent_gap_s = to_seconds(now - incident.killed);
      }
  }

  void take(const historian::Decision& decision) {
    ++record_.decisions;
    ++record_.origins[decision.origin];
    const std::size_t step = step_of(decision.time);
    if (step < season_.steps && decision.origin == "policy") {
      record_.sample_to_write_by_step_us[step] = microseconds(decision.sample_to_write);
      if (!decided_[step]) ++record_.steps_decided;
      decided_[step] = true;
    }
    for (const historian::DecisionOutput& output : decision.outputs) {
      const auto action = static_cast<guard::Action>(output.action);
      ++record_.verdicts[guard::to_string(action)];
      if (output.reasons != 0) ++record_.reasons[guard::describe(output.reasons)];
      if (action != guard::Action::accepted)
        record_.guard_events.push_back(
            {step, output.tag, guard::to_string(action), output.reasons != 0 ? guard::describe(output.reasons) : ""});
      const auto rule = limits_.find(output.tag);
      if (rule == limits_.end()) continue;
      if (step < record_.days.size()) record_.applied[output.tag][step] = output.applied;
      if (!output.written) continue;
      ++record_.written;
      if (!(output.applied >= rule->second.limits.low && output.applied <= rule->second.limits.high))
        ++record_.outside_limits;
    }
  }

  const SeasonResult& season_;
  SeasonRecord record_;
  std::vector<bool> decided_;
  std::vector<TimePoint> policy_decided_;
  std::map<std::string, config::OutputRule> limits_;
};

}  // namespace

Result<SeasonRecord> read_record(const SeasonResult& season) { return Reader(season).read(); }

}  // namespace rltune::demo
