// Messages about training runs: which there are, how they went, and their figures.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/api/field.hpp"
#include "rltune/base/time.hpp"

namespace rltune::api {

inline constexpr std::uint64_t kRunsDefault = 100, kRunsMax = 1'000;
inline constexpr std::uint64_t kPointsDefault = 200, kPointsMax = 10'000;
inline constexpr std::array<std::string_view, 5> kRunStatuses{"running", "finished", "stopped", "interrupted",
                                                              "diverged"};

struct RunsQuery {
  std::optional<std::uint64_t> limit;
  std::optional<std::string> cursor;
};
template <typename Visitor>
void describe(Visitor& v, RunsQuery& query) {
  v.field("limit", query.limit, {.note = "runs a page; 100 where it is left out", .low = 1, .high = kRunsMax});
  v.field("cursor", query.cursor, {.note = "`next` of the page before", .length_max = 1'000});
}

struct RunFiguresQuery {
  std::optional<std::string> figure;
  std::optional<std::uint64_t> points, from_step, to_step;
};
template <typename Visitor>
void describe(Visitor& v, RunFiguresQuery& query) {
  v.field("figure", query.figure, {.note = "this one alone: eval/mean_reward", .length_max = 200});
  v.field("points", query.points,
          {.note = "of each at most; 200 where it is left out", .low = 2, .high = static_cast<double>(kPointsMax)});
  v.field("from_step", query.from_step, {.note = "the first step; 0 where it is left out"});
  v.field("to_step", query.to_step, {.note = "the first step that is not meant; missing: the run's end"});
}

struct RunBrief {
  static constexpr std::string_view kSchema = "Run";
  std::string run, task, algorithm, reason;
  std::optional<std::string> status, trouble;
  std::uint64_t seed = 0, step = 0, steps_planned = 0, updates = 0, best_step = 0;
  double seconds = 0.0;
  std::optional<double> best_return;
  std::optional<TimePoint> started, updated;
};
template <typename Visitor>
void describe(Visitor& v, RunBrief& run) {
  v.field("run", run.run, {.note = "its folder, with ~ for every /"});
  v.field("trouble", run.trouble, {.note = "why it cannot be read; missing: it can", .length_max = 4'096});
  v.field("task", run.task, {.note = "the plant or the environment"});
  v.field("algorithm", run.algorithm, {.note = "sac, ppo ..."});
  v.field("seed", run.seed, {.note = "of everything random"});
  v.field("status", run.status,
          {.note = "interrupted: begun, not at its end, and nobody trains; stopped: ended early, `reason` says why",
           .words = kRunStatuses});
  v.field("reason", run.reason, {.note = "of a stop"});
  v.field("step", run.step, {.note = "how far it is"});
  v.field("steps_planned", run.steps_planned, {.note = "how far it goes"});
  v.field("updates", run.updates, {.note = "gradient steps"});
  v.field("seconds", run.seconds, {.note = "spent training"});
  v.field("best_return", run.best_return, {.note = "by examination; missing: there was none yet"});
  v.field("best_step", run.best_step, {.note = "where that was"});
  v.field("started", run.started, {.note = "by the clock of the host that trains"});
  v.field("updated", run.updated, {.note = "when it last said how far it is"});
}

struct RunList {
  static constexpr std::string_view kSchema = "RunList";
  std::vector<RunBrief> runs;
  std::optional<std::string> next;
};
template <typename Visitor>
void describe(Visitor& v, RunList& list) {
  v.field("runs", list.runs, {.note = "by the names of their folders", .length_max = kRunsMax});
  v.field("next", list.next, {.note = "the cursor of what follows; missing: nothing does"});
}

struct RunSetting {
  static constexpr std::string_view kSchema = "RunSetting";
  std::string name, value, origin;
};
template <typename Visitor>
void describe(Visitor& v, RunSetting& setting) {
  v.field("name", setting.name, {.note = "of what was set"});
  v.field("value", setting.value, {.note = "as a text"});
  v.field("origin", setting.origin, {.note = "of a hyperparameter: default, command line ..."});
}

struct RunSetback {
  static constexpr std::string_view kSchema = "RunSetback";
  std::uint64_t step = 0, back_to = 0;
  std::string what;
  double learning_rate_factor = 1.0;
};
template <typename Visitor>
void describe(Visitor& v, RunSetback& setback) {
  v.field("step", setback.step, {.note = "where training was found to diverge"});
  v.field("back_to", setback.back_to, {.note = "where it went on from"});
  v.field("what", setback.what, {.note = "train/critic_loss is nan"});
  v.field("learning_rate_factor", setback.learning_rate_factor, {.note = "on every learning rate from then on"});
}

struct RunFigure {
  static constexpr std::string_view kSchema = "RunFigure";
  std::string name;
  std::uint64_t records = 0;
  double first = 0.0, last = 0.0, lowest = 0.0, highest = 0.0;
};
template <typename Visitor>
void describe(Visitor& v, RunFigure& figure) {
  v.field("name", figure.name, {.note = "rollout/ep_rew_mean"});
  v.field("records", figure.records, {.note = "so many values"});
  v.field("first", figure.first, {.note = "value"});
  v.field("last", figure.last, {.note = "value"});
  v.field("lowest", figure.lowest, {.note = "value"});
  v.field("highest", figure.highest, {.note = "value"});
}

struct RunWhole {
  static constexpr std::string_view kSchema = "RunWhole";
  RunBrief run;
  std::vector<RunSetting> hyperparameters, settings, provenance;
  std::vector<RunSetback> setbacks;
  std::vector<RunFigure> figures;
};
template <typename Visitor>
void describe(Visitor& v, RunWhole& whole) {
  v.field("run", whole.run, {.note = "as the list has it"});
  v.field("hyperparameters", whole.hyperparameters, {.note = "with where each value came from"});
  v.field("settings", whole.settings, {.note = "everything else that decides what is learned"});
  v.field("provenance", whole.provenance, {.note = "program and machine"});
  v.field("setbacks", whole.setbacks, {.note = "where training diverged and went back"});
  v.field("figures", whole.figures, {.note = "all of them, in short; their curves are an operation of their own"});
}

struct RunCurve {
  static constexpr std::string_view kSchema = "RunCurve";
  std::string name;
  std::uint64_t records = 0;
  std::vector<double> steps, values;
};
template <typename Visitor>
void describe(Visitor& v, RunCurve& curve) {
  v.field("name", curve.name, {.note = "rollout/ep_rew_mean"});
  v.field("records", curve.records, {.note = "between the two steps, before some were left out"});
  v.field("steps", curve.steps, {.note = "ascending", .length_max = kPointsMax});
  v.field("values", curve.values, {.note = "one a step, as it was recorded", .length_max = kPointsMax});
}

struct RunFigures {
  static constexpr std::string_view kSchema = "RunFigures";
  std::string run;
  std::vector<RunCurve> curves;
};
template <typename Visitor>
void describe(Visitor& v, RunFigures& figures) {
  v.field("run", figures.run, {.note = "whose they are"});
  v.field("curves", figures.curves, {.note = "by name"});
}

}  // namespace rltune::api
