#include <algorithm>
#include <format>

#include "bounds.hpp"
#include "rltune/dataset/dataset.hpp"

namespace rltune::dataset {
namespace {

using Columns = std::vector<std::size_t>;  // for each variable of the task its column in the data

std::string listed(const env::Space& space) {
  std::string names;
  for (const env::Variable& variable : space) names += (names.empty() ? "" : ", ") + variable.name;
  return names;
}

Result<Columns> match(const env::Space& data, const env::Space& task, std::string_view what,
                      const std::string& task_name) {
  Columns columns;
  std::string missing;
  for (const env::Variable& variable : task) {
    const auto found = std::ranges::find(data, variable.name, &env::Variable::name);
    if (found != data.end())
      columns.push_back(static_cast<std::size_t>(found - data.begin()));
    else
      missing += (missing.empty() ? "" : ", ") + variable.name;
  }
  if (missing.empty()) return columns;
  if (!columns.empty())
    return fail(Errc::mismatch,
                std::format("the data's {} lack {} of {}; they are {}", what, missing, task_name, listed(data)));
  if (data.size() != task.size())
    return fail(Errc::mismatch, std::format("the data has {} {}, {} {}", data.size(), what, task_name, task.size()));
  for (std::size_t i = 0; i < task.size(); ++i) columns.push_back(i);
  return columns;
}

bool says_nothing(const std::string& unit) { return unit.empty() || unit == "1"; }

Result<> check_units(const env::Space& data, const env::Space& task, const Columns& columns) {
  for (std::size_t i = 0; i < task.size(); ++i) {
    const env::Variable& theirs = data[columns[i]];
    if (theirs.name == task[i].name && !says_nothing(theirs.unit) && !says_nothing(task[i].unit) &&
        theirs.unit != task[i].unit)
      return fail(Errc::mismatch,
                  std::format("the data's {} is in {}, the task's in {}", theirs.name, theirs.unit, task[i].unit));
  }
  return {};
}

void take_columns(std::vector<float>& table, std::size_t width, const Columns& columns) {
  std::vector<float> taken;
  taken.reserve(table.size() / width * columns.size());
  for (std::size_t row = 0; row < table.size(); row += width)
    for (const std::size_t column : columns) taken.push_back(table[row + column]);
  table = std::move(taken);
}

env::Space taken(const env::Space& space, const Columns& columns) {
  env::Space made;
  for (const std::size_t column : columns) made.push_back(space[column]);
  return made;
}

bool is_a_range(const env::Variable& variable) { return variable.low != -1.0 || variable.high != 1.0; }

// From what -1 and 1 stand for in the data to what they stand for in the task.
Result<> convert_actions(Dataset& dataset, std::size_t i, const env::Variable& task) {
  env::Variable& data = dataset.action[i];
  const bool same = data.low == task.low && data.high == task.high;
  if (same || !is_a_range(data) || !is_a_range(task)) return {};
  const std::size_t width = dataset.action.size();
  for (std::size_t e = 0; e < dataset.episodes.size(); ++e) {
    std::vector<float>& actions = dataset.episodes[e].actions;
    for (std::size_t at = i; at < actions.size(); at += width) {
      const double value = data.low + 0.5 * (static_cast<double>(actions[at]) + 1.0) * (data.high - data.low);
      const auto scaled = scaled_action(value, task.low, task.high);
      if (!scaled)
        return fail(Errc::mismatch, std::format("episode {}: {} = {:.6g} lies outside of the task's [{}, {}]", e,
                                                data.name, value, task.low, task.high));
      actions[at] = *scaled;
    }
  }
  data.low = task.low;
  data.high = task.high;
  return {};
}

Result<> check_kind(const Dataset& dataset, const env::EnvironmentSpec& spec) {
  const auto kind = [](std::size_t discrete, std::size_t numbers) {
    return discrete > 0 ? std::format("one of {}", discrete) : std::format("{} numbers", numbers);
  };
  if (dataset.discrete_actions == spec.discrete_actions) return {};
  return fail(Errc::mismatch, std::format("the data's actions are {}, those of {} {}",
                                          kind(dataset.discrete_actions, dataset.action.size()), spec.name,
                                          kind(spec.discrete_actions, spec.action.size())));
}

}  // namespace

Result<Dataset> fitted(Dataset dataset, const env::EnvironmentSpec& spec) {
  if (auto good = check_kind(dataset, spec); !good) return std::unexpected(good.error());
  const auto seen = match(dataset.observation, spec.observation, "observations", spec.name);
  if (!seen) return std::unexpected(seen.error());
  // A choice has an index, whatever it is called.
  const auto done = spec.discrete_actions > 0 ? Result<Columns>(Columns{0})
                                              : match(dataset.action, spec.action, "actions", spec.name);
  if (!done) return std::unexpected(done.error());
  if (auto good = check_units(dataset.observation, spec.observation, *seen); !good)
    return std::unexpected(good.error());
  if (auto good = check_units(dataset.action, spec.action, *done); !good) return std::unexpected(good.error());
  for (Episode& episode : dataset.episodes) {
    take_columns(episode.observations, dataset.observation.size(), *seen);
    take_columns(episode.actions, dataset.action.size(), *done);
  }
  dataset.observation = taken(dataset.observation, *seen);
  dataset.action = taken(dataset.action, *done);
  for (std::size_t i = 0; i < spec.action.size() && spec.discrete_actions == 0; ++i)
    if (auto good = convert_actions(dataset, i, spec.action[i]); !good) return std::unexpected(good.error());
  return dataset;
}

}  // namespace rltune::dataset
