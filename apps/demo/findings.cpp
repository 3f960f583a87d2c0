#include "findings.hpp"

#include <algorithm>
#include <cmath>
#include <format>
#include <limits>
#include <sstream>

#include "rltune/base/file.hpp"

namespace rltune::demo {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// EUR/m2. Without accidents it is the same to 1e-6; the step in hand when the plant's server dies may be decided twice.
constexpr double kSameReturn = 0.01;
constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> cells;
  std::stringstream stream(line);
  for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
  return cells;
}

const Incident* incident(const ClosedLoop& loop, const char* what) {
  const auto found = std::ranges::find(loop.season.incidents, what, &Incident::what);
  return found == loop.season.incidents.end() ? nullptr : &*found;
}

class Judge {
 public:
  explicit Judge(const Findings& findings) : f_(findings) {}

  std::vector<Check> judge() {
    learning();
    if (f_.loop)
      closed_loop(*f_.loop);
    else
      check("ran the whole season over encrypted OPC UA", false,
            "automatic mode refuses a policy that failed its validation");
    return std::move(checks_);
  }

 private:
  void check(std::string name, bool passed, std::string detail) {
    checks_.push_back({std::move(name), std::move(detail), passed});
  }

  void learning() {
    const policy::Validation& validation = f_.manifest.validation;
    std::string reasons;
    for (const std::string& reason : validation.reasons)
      if (const bool failed = reason.starts_with("FAILED: "); failed != validation.passed)
        reasons += (reasons.empty() ? "" : "; ") + (failed ? reason.substr(8) : reason);
    check("passed its validation", validation.passed, reasons);
    const json& gain = f_.paired["gain"];
    check("earns more than the tuned rule on seasons it had not seen", gain["mean_interval"][0].get<double>() > 0.0,
          std::format("gain {:.2f}, 95 % from {:.2f} to {:.2f} EUR/m2, better in {} of {}", gain["mean"].get<double>(),
                      gain["mean_interval"][0].get<double>(), gain["mean_interval"][1].get<double>(),
                      gain["wins"].get<int>(), gain["seasons"].get<int>()));
    const double ours = gain["band_hours_outside"], theirs = gain["band_hours_outside_against"];
    check("keeps the climate's limits no worse than the tuned rule", ours <= theirs,
          std::format("{:.0f} band-hours outside against {:.0f}", ours, theirs));
  }

  void closed_loop(const ClosedLoop& loop) {
    const SeasonResult& season = loop.season;
    const SeasonRecord& record = loop.record;
    check(
        "ran the whole season over encrypted OPC UA", season.steps_done == season.steps,
        std::format("{} of {} steps in {:.1f} s, accidents included", season.steps_done, season.steps, season.seconds));
    check("has a decision on record for every step", record.steps_decided == season.steps,
          std::format("{} of {}", record.steps_decided, season.steps));
    const double predicted = f_.standings.front()["return"].get<double>();
    check("earned what the evaluation predicted, accidents or not", std::abs(season.total - predicted) <= kSameReturn,
          std::format("{:.6f} against {:.6f} EUR/m2", season.total, predicted));
    recovery(loop);
    check("wrote nothing outside the limits", record.outside_limits == 0 && record.written >= season.steps,
          std::format("{} of {} values written", record.outside_limits, record.written));
    check("computes every decision again to the same bits",
          loop.replay.value("different", 1) == 0 && loop.replay.value("unknown_policy", 1) == 0 &&
              loop.replay.value("same", std::size_t{0}) >= season.steps,
          std::format("{} the same, {} different", loop.replay.value("same", 0), loop.replay.value("different", -1)));
    check("stopped in order", season.stopped_in_order,
          season.stopped_in_order ? "every process ended when it was asked to"
                                  : "a process failed, had to be killed or was left behind");
  }

  void recovery(const ClosedLoop& loop) {
    const Incident* const twin = incident(loop, "twin");
    check("goes on after the twin was killed and came back",
          twin != nullptr && twin->recovered && twin->recovery_s <= kTwinRecovery_s,
          twin == nullptr ? "it was not killed"
                          : std::format("values flowed {:.0f} ms after its return; at most {:g} s",
                                        1e3 * twin->recovery_s, kTwinRecovery_s));
    const Incident* const agent = incident(loop, "agent");
    check("goes on after the agent was killed",
          agent != nullptr && agent->recovered && agent->recovery_s > 0.0 && agent->recovery_s <= kAgentRecovery_s,
          agent == nullptr ? "it was not killed"
                           : std::format("its successor decided after {:.0f} ms; at most {:g} s",
                                         1e3 * agent->recovery_s, kAgentRecovery_s));
  }

  const Findings& f_;
  std::vector<Check> checks_;
};

ordered_json to_json(const Quantiles& q) { return {{"p50", q.p50}, {"p99", q.p99}, {"worst", q.worst}}; }

ordered_json to_json(const ClosedLoop& loop) {
  ordered_json incidents = ordered_json::array();
  for (const Incident& one : loop.season.incidents)
    incidents.push_back({{"killed", one.what},
                         {"step", one.step},
                         {"day", one.day},
                         {"recovered", one.recovered},
                         {"recovery_s", one.recovery_s}});
  return {{"site", loop.season.site.string()},
          {"return", loop.season.total},
          {"steps", loop.season.steps_done},
          {"seconds", loop.season.seconds},
          {"decisions", loop.record.decisions},
          {"steps_decided", loop.record.steps_decided},
          {"origins", loop.record.origins},
          {"verdicts", loop.record.verdicts},
          {"values_written", loop.record.written},
          {"values_outside_limits", loop.record.outside_limits},
          {"reconnects", loop.season.last.reconnects},
          {"incidents", std::move(incidents)},
          {"latency_us",
           {{"proposal", to_json(loop.record.proposal_us)},
            {"verdict", to_json(loop.record.verdict_us)},
            {"sample_to_write", to_json(loop.record.sample_to_write_us)},
            {"write_acknowledged", to_json(loop.record.acknowledged_us)}}},
          {"gateway",
           {{"calls", loop.season.door.call_us.size()},
            {"failed", loop.season.door.failed},
            {"call_us", to_json(quantiles(loop.season.door.call_us))}}},
          {"replay", loop.replay}};
}

std::string standings_text(const Findings& f) {
  std::string text = std::format("{:<22} {:>9} {:>9} {:>9} {:>9}   {}\n", "the same season for all", "EUR/m2", "crop",
                                 "heat", "CO2", "out of limits: temperature, humidity, CO2");
  for (const json& one : f.standings) {
    text += std::format("{:<23} {:>9.3f} {:>9.3f} {:>9.3f} {:>9.3f}  ", one["label"].get<std::string>(),
                        one["return"].get<double>(), one["terms"]["crop_value"].get<double>(),
                        one["terms"]["heating_cost"].get<double>(), one["terms"]["co2_cost"].get<double>());
    for (const std::size_t limit : {1U, 2U, 0U})
      text += std::format(" {:>7.0f} {} h", one["violations"][limit]["unit_hours"].get<double>(),
                          one["violations"][limit]["unit"].get<std::string>());
    text += "\n";
  }
  return text;
}

std::string door_text(const DoorUse& door) {
  const Quantiles call = quantiles(door.call_us);
  return std::format("gateway     {} calls over HTTPS, {} failed; p50 {:.0f} us, p99 {:.0f} us, signed in as {}\n",
                     door.call_us.size(), door.failed, call.p50, call.p99, kAdministrator);
}

std::string loop_text(const ClosedLoop& loop) {
  const SeasonRecord& record = loop.record;
  std::string text = std::format("{:<23} {:>9.3f}   as the plant counted it, over OPC UA\n\nguard      ",
                                 "in closed loop", loop.season.total);
  for (const auto& [action, number] : record.verdicts) text += std::format(" {} {}", number, action);
  text += std::format(" outputs; {} of {} values written outside the limits\n", record.outside_limits, record.written);
  text += std::format("link        {} reconnect{}\n", loop.season.last.reconnects,
                      loop.season.last.reconnects == 1 ? "" : "s");
  for (const Incident& one : loop.season.incidents)
    text +=
        std::format("{:<11} killed on day {:.1f}, goes on after {:.0f} ms\n", one.what, one.day, 1e3 * one.recovery_s);
  text += std::format(
      "latency     sample to write p50 {:.0f} us, p99 {:.0f} us; to proposal p99 {:.0f} us; verdict p99 {:.0f} us\n",
      record.sample_to_write_us.p50, record.sample_to_write_us.p99, record.proposal_us.p99, record.verdict_us.p99);
  return text + door_text(loop.season.door);
}

}  // namespace

Result<TraceTable> read_trace(const std::filesystem::path& csv) {
  const auto bytes = read_file(csv);
  if (!bytes) return std::unexpected(bytes.error());
  std::stringstream lines(*bytes);
  std::string line;
  if (!std::getline(lines, line)) return fail(Errc::parse, csv.string() + ": is empty");
  const std::vector<std::string> names = split(line);
  TraceTable table;
  while (std::getline(lines, line)) {
    const std::vector<std::string> cells = split(line);
    for (std::size_t i = 0; i < names.size() && i < cells.size(); ++i)
      table[names[i]].push_back(std::strtod(cells[i].c_str(), nullptr));
  }
  return table;
}

LearningCurve read_curve(const std::filesystem::path& metrics) {
  constexpr std::string_view kTerms = "eval/terms/";
  LearningCurve curve;
  const auto bytes = read_file(metrics);
  if (!bytes) return curve;
  std::stringstream lines(*bytes);
  for (std::string line; std::getline(lines, line);) {
    const json point = json::parse(line, nullptr, false);
    if (!point.is_object() || !point.contains("time/total_timesteps")) continue;
    curve.steps.push_back(point["time/total_timesteps"]);
    curve.exploring.push_back(point.value("rollout/ep_rew_mean", kNothing));
    curve.evaluated.push_back(point.value("eval/mean_reward", kNothing));
    for (const auto& [name, value] : point.items()) {
      if (!name.starts_with(kTerms)) continue;
      std::vector<double>& values = curve.terms[name.substr(kTerms.size())];
      values.resize(curve.steps.size() - 1, kNothing);
      values.push_back(value.get<double>());
    }
  }
  for (auto& [name, values] : curve.terms) values.resize(curve.steps.size(), kNothing);
  return curve;
}

TrainingView look_at_training(const std::filesystem::path& folder) {
  TrainingView view;
  const auto plan = read_file(folder / "run.json");
  if (!plan) return view;
  const json planned = json::parse(*plan, nullptr, false);
  if (planned.is_object()) view.steps_planned = planned.value("steps", std::uint64_t{0});
  const LearningCurve curve = read_curve(folder / "metrics.jsonl");
  for (std::size_t i = 0; i < curve.steps.size(); ++i) {
    view.steps = static_cast<std::uint64_t>(curve.steps[i]);
    if (std::isfinite(curve.evaluated[i])) view.evaluated.emplace_back(curve.steps[i], curve.evaluated[i]);
  }
  return view;
}

bool Findings::passed() const {
  return std::ranges::all_of(checks, [](const Check& check) { return check.passed; });
}

std::vector<Check> judge(const Findings& findings) { return Judge(findings).judge(); }

std::string closing_text(const Findings& f) {
  std::string text = "\n" + standings_text(f);
  if (f.loop) text += loop_text(*f.loop);
  text += "\n";
  for (const Check& check : f.checks)
    text += std::format("{} {}: {}\n", check.passed ? "  ok  " : " FAIL ", check.name, check.detail);
  return text;
}

ordered_json to_json(const Findings& f) {
  ordered_json checks = ordered_json::array();
  for (const Check& check : f.checks)
    checks.push_back({{"name", check.name}, {"passed", check.passed}, {"detail", check.detail}});
  ordered_json object{{"passed", f.passed()},
                      {"seconds", f.seconds},
                      {"folder", f.folder.string()},
                      {"report", (f.folder / "report.html").string()},
                      {"checks", std::move(checks)},
                      {"policy_sha256", f.policy_sha256},
                      {"training", f.training},
                      {"weather", f.weather},
                      {"start", f.start},
                      {"season", f.standings},
                      {"other_seasons", f.paired},
                      {"closed_loop", nullptr}};
  if (f.loop) object["closed_loop"] = to_json(*f.loop);
  return object;
}

}  // namespace rltune::demo
