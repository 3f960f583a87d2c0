#include "run_operations.hpp"

#include "asking.hpp"
#include "rltune/api/runs.hpp"
#include "rltune/v1/library.pb.h"

namespace rltune::gateway {
namespace {

using namespace std::chrono_literals;

constexpr auto kRunsPatience = 30'000ms;  // a run's figures are a file of many megabytes

bus::CallOptions to_runs(std::string method) { return to(std::move(method), "coredinator.records", kRunsPatience); }

api::RunBrief run_of(const v1::RunInfo& told) {
  api::RunBrief run{.run = told.run(),
                    .task = told.task(),
                    .algorithm = told.algorithm(),
                    .reason = told.reason(),
                    .seed = told.seed(),
                    .step = told.step(),
                    .steps_planned = told.steps_planned(),
                    .updates = told.updates(),
                    .best_step = told.best_step(),
                    .seconds = told.seconds(),
                    .started = time_of(told.started_unix_ns()),
                    .updated = time_of(told.updated_unix_ns())};
  if (!told.status().empty()) run.status = told.status();
  if (!told.trouble().empty()) run.trouble = told.trouble();
  if (told.has_best_return()) run.best_return = told.best_return();
  return run;
}

Answer runs(const v1::RunsAnswer& answered) {
  api::RunList list;
  for (const v1::RunInfo& run : answered.runs()) list.runs.push_back(run_of(run));
  if (!answered.next_after().empty()) list.next = answered.next_after();
  return answer(list);
}

std::vector<api::RunSetting> settings_of(const google::protobuf::RepeatedPtrField<v1::RunSetting>& told) {
  std::vector<api::RunSetting> settings;
  for (const v1::RunSetting& one : told) settings.push_back({one.name(), one.value(), one.origin()});
  return settings;
}

Answer run(const v1::RunAnswer& answered) {
  api::RunWhole whole{.run = run_of(answered.run()),
                      .hyperparameters = settings_of(answered.hyperparameters()),
                      .settings = settings_of(answered.settings()),
                      .provenance = settings_of(answered.provenance()),
                      .setbacks = {},
                      .figures = {}};
  for (const v1::RunSetback& setback : answered.setbacks())
    whole.setbacks.push_back({setback.step(), setback.back_to(), setback.what(), setback.learning_rate_factor()});
  for (const v1::RunFigure& figure : answered.figures())
    whole.figures.push_back(
        {figure.name(), figure.records(), figure.first(), figure.last(), figure.lowest(), figure.highest()});
  return answer(whole);
}

Answer curves(const std::string& run, const v1::RunFiguresAnswer& answered) {
  api::RunFigures figures{.run = run, .curves = {}};
  for (const v1::RunCurve& curve : answered.curves())
    figures.curves.push_back({.name = curve.name(),
                              .records = curve.records(),
                              .steps = {curve.steps().begin(), curve.steps().end()},
                              .values = {curve.values().begin(), curve.values().end()}});
  return answer(figures);
}

void get_figures(const Reading& reading, const CallPointer& call, const api::RunFiguresQuery& query, const Done& done) {
  v1::RunFiguresRequest request;
  request.set_run(call->parts[0]);
  request.set_figure(query.figure.value_or(""));
  request.set_points(static_cast<std::uint32_t>(query.points.value_or(api::kPointsDefault)));
  request.set_from_step(query.from_step.value_or(0));
  if (query.to_step) request.set_to_step(*query.to_step);
  ask_for_much<v1::RunFiguresAnswer>(
      reading.caller, reading.workers, call, to_runs("records.RunFigures"), request,
      [run = request.run()](const v1::RunFiguresAnswer& answered) { return curves(run, answered); }, done);
}

}  // namespace

Handlers run_handlers(const Reading& reading) {
  Handlers handlers;
  handlers.emplace("listRuns", asking<api::RunsQuery>([reading](const CallPointer& call, const api::RunsQuery& query,
                                                                const Done& done) {
                     v1::RunsRequest request;
                     request.set_limit(static_cast<std::uint32_t>(query.limit.value_or(api::kRunsDefault)));
                     request.set_after(query.cursor.value_or(""));
                     ask_for_much<v1::RunsAnswer>(reading.caller, reading.workers, call, to_runs("records.Runs"),
                                                  request, runs, done);
                   }));
  handlers.emplace("getRun", [reading](const CallPointer& call, const Done& done) {
    v1::RunRequest request;
    request.set_run(call->parts[0]);
    ask_for_much<v1::RunAnswer>(reading.caller, reading.workers, call, to_runs("records.Run"), request, run, done);
  });
  handlers.emplace("getRunFigures", asking<api::RunFiguresQuery>(
                                        [reading](const CallPointer& call, const auto& query, const Done& done) {
                                          get_figures(reading, call, query, done);
                                        }));
  return handlers;
}

}  // namespace rltune::gateway
