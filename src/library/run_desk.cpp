#include "rltune/library/run_desk.hpp"

#include <algorithm>
#include <format>
#include <limits>

#include "rltune/runs/run.hpp"
#include "rltune/runs/thinned.hpp"

namespace rltune::library {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kRunsMax = 1'000, kPointsMax = 10'000;

// As who is elsewhere may read it.
std::unexpected<Error> unreadable(const Error& error, const std::string& run) {
  const char* what = error.code == Errc::parse         ? "is damaged"
                     : error.code == Errc::not_found   ? "has not written its files yet"
                     : error.code == Errc::unsupported ? "has more figures than are read at once"
                                                       : "cannot be read";
  return fail(error.code == Errc::not_found ? Errc::not_found : Errc::unsupported,
              std::format("the run {} {}; 'rltune run show' on the site's host says more", run, what));
}

void tell_brief(const runs::Run& run, v1::RunInfo& info) {
  const runs::State& state = run.state;
  info.set_task(run.task);
  info.set_algorithm(run.algorithm);
  info.set_seed(run.seed);
  info.set_status(runs::to_string(state.status));
  info.set_reason(state.reason);
  info.set_step(state.step);
  info.set_steps_planned(state.steps_planned);
  info.set_updates(state.updates);
  info.set_seconds(state.seconds);
  if (state.best_return) info.set_best_return(*state.best_return);
  info.set_best_step(state.best_step);
  info.set_started_unix_ns(state.started.time_since_epoch().count());
  info.set_updated_unix_ns(state.updated.time_since_epoch().count());
}

void tell_settings(const std::vector<runs::Setting>& settings,
                   google::protobuf::RepeatedPtrField<v1::RunSetting>& list) {
  for (const runs::Setting& setting : settings) {
    v1::RunSetting& told = *list.Add();
    told.set_name(setting.name);
    told.set_value(setting.value);
    told.set_origin(setting.origin);
  }
}

void tell_figures(const std::map<std::string, runs::Curve>& curves, v1::RunAnswer& answer) {
  for (const auto& [name, curve] : curves) {
    v1::RunFigure& told = *answer.add_figures();
    told.set_name(name);
    told.set_records(curve.values.size());
    told.set_first(curve.values.front());
    told.set_last(curve.values.back());
    told.set_lowest(std::ranges::min(curve.values));
    told.set_highest(std::ranges::max(curve.values));
  }
}

Result<std::map<std::string, runs::Curve>> read_figures(const fs::path& folder) {
  std::error_code code;
  const auto bytes = fs::file_size(folder / "metrics.jsonl", code);
  if (!code && bytes > kFiguresBytesMax) return fail(Errc::unsupported, "too large");
  auto curves = runs::read_metrics(folder);
  if (!curves) return curves;
  std::erase_if(*curves, [](const auto& curve) { return curve.second.steps.empty(); });
  return curves;
}

runs::Curve between(const runs::Curve& curve, double from, double to) {
  const auto begin = std::ranges::lower_bound(curve.steps, from) - curve.steps.begin();
  const auto end = std::max(begin, std::ranges::lower_bound(curve.steps, to) - curve.steps.begin());
  return {.steps = {curve.steps.begin() + begin, curve.steps.begin() + end},
          .values = {curve.values.begin() + begin, curve.values.begin() + end}};
}

}  // namespace

void RunDesk::add_to(bus::Server& server) {
  server.handle<v1::RunsRequest, v1::RunsAnswer>(
      "records.Runs", [this](const bus::Call&, const v1::RunsRequest& request, v1::RunsAnswer& answer) {
        list(request, answer);
        return Result<>();
      });
  server.handle<v1::RunRequest, v1::RunAnswer>(
      "records.Run",
      [this](const bus::Call&, const v1::RunRequest& request, v1::RunAnswer& answer) { return tell(request, answer); });
  server.handle<v1::RunFiguresRequest, v1::RunFiguresAnswer>(
      "records.RunFigures", [this](const bus::Call&, const v1::RunFiguresRequest& request,
                                   v1::RunFiguresAnswer& answer) { return curves(request, answer); });
}

std::vector<RunDesk::Place> RunDesk::places() const {
  std::vector<Place> places;
  for (const fs::path& root : roots_)
    for (const fs::path& folder : runs::find_runs(root)) {
      const fs::path below = folder.lexically_relative(root);
      std::string name = (below == "." ? root.filename() : root.filename() / below).generic_string();
      std::ranges::replace(name, '/', '~');
      places.push_back({.name = std::move(name), .folder = folder});
    }
  std::ranges::sort(places, {}, &Place::name);
  return places;
}

Result<RunDesk::Place> RunDesk::find(const std::string& name) const {
  for (Place& place : places())
    if (place.name == name) return std::move(place);
  return fail(Errc::not_found, "the site has no such run");
}

void RunDesk::list(const v1::RunsRequest& request, v1::RunsAnswer& answer) const {
  const std::uint32_t limit = std::clamp(request.limit(), 1U, kRunsMax);
  const std::vector<Place> all = places();
  for (auto place = std::ranges::upper_bound(all, request.after(), {}, &Place::name); place != all.end(); ++place) {
    if (answer.runs_size() >= static_cast<int>(limit)) {
      answer.set_next_after(answer.runs(answer.runs_size() - 1).run());
      return;
    }
    v1::RunInfo& info = *answer.add_runs();
    info.set_run(place->name);
    if (const auto run = runs::read_run(place->folder))
      tell_brief(*run, info);
    else
      info.set_trouble(unreadable(run.error(), place->name).error().message);
  }
}

Result<> RunDesk::tell(const v1::RunRequest& request, v1::RunAnswer& answer) const {
  const auto place = find(request.run());
  if (!place) return std::unexpected(place.error());
  const auto run = runs::read_run(place->folder);
  if (!run) return unreadable(run.error(), place->name);
  answer.mutable_run()->set_run(place->name);
  tell_brief(*run, *answer.mutable_run());
  tell_settings(run->hyperparameters, *answer.mutable_hyperparameters());
  tell_settings(run->settings, *answer.mutable_settings());
  tell_settings(run->provenance, *answer.mutable_provenance());
  for (const runs::Setback& setback : run->state.setbacks) {
    v1::RunSetback& told = *answer.add_setbacks();
    told.set_step(setback.step);
    told.set_back_to(setback.back_to);
    told.set_what(setback.what);
    told.set_learning_rate_factor(setback.learning_rate_factor);
  }
  const auto curves = read_figures(place->folder);
  if (!curves && curves.error().code != Errc::not_found) return unreadable(curves.error(), place->name);
  if (curves) tell_figures(*curves, answer);
  return {};
}

Result<> RunDesk::curves(const v1::RunFiguresRequest& request, v1::RunFiguresAnswer& answer) const {
  const auto place = find(request.run());
  if (!place) return std::unexpected(place.error());
  const auto curves = read_figures(place->folder);
  if (!curves) return unreadable(curves.error(), place->name);
  const auto from = static_cast<double>(request.from_step());
  const double to =
      request.has_to_step() ? static_cast<double>(request.to_step()) : std::numeric_limits<double>::infinity();
  for (const auto& [name, whole] : *curves) {
    if (!request.figure().empty() && request.figure() != name) continue;
    const runs::Curve meant = between(whole, from, to);
    const runs::Curve shown = runs::thinned(meant, std::clamp(request.points(), 2U, kPointsMax));
    v1::RunCurve& told = *answer.add_curves();
    told.set_name(name);
    told.set_records(meant.steps.size());
    told.mutable_steps()->Assign(shown.steps.begin(), shown.steps.end());
    told.mutable_values()->Assign(shown.values.begin(), shown.values.end());
  }
  if (!request.figure().empty() && answer.curves().empty())
    return fail(Errc::not_found, "the run has no such figure; GET /api/v1/runs/{run} lists those that it has");
  return {};
}

}  // namespace rltune::library
