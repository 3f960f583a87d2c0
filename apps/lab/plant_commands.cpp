// rltune plant list | show NAME [--set name=value] [--json]
#include <memory>
#include <nlohmann/json.hpp>
#include <print>

#include "common.hpp"
#include "rltune/env/plants.hpp"

namespace rltune::lab {
namespace {

using nlohmann::ordered_json;

ordered_json described(const env::Space& space) {
  ordered_json list = ordered_json::array();
  for (const env::Variable& variable : space)
    list.push_back({{"name", variable.name},
                    {"unit", variable.unit},
                    {"low", variable.low},
                    {"high", variable.high},
                    {"description", variable.description}});
  return list;
}

ordered_json described(const env::PlantSpec& spec, const env::Task& task) {
  ordered_json parameters = ordered_json::array();
  for (const env::Parameter& parameter : spec.parameters)
    parameters.push_back({{"name", parameter.name},
                          {"unit", parameter.unit},
                          {"value", parameter.value},
                          {"uncertain", parameter.uncertain},
                          {"description", parameter.description}});
  env::Space observation;
  for (const env::Feature& feature : task.observation) observation.push_back(feature.variable);
  return {{"name", spec.name},
          {"description", spec.description},
          {"sample_period_s", spec.sample_period_s},
          {"episode_steps", task.steps},
          {"parameters_sha256", env::parameters_sha256(spec)},
          {"parameters", std::move(parameters)},
          {"states", described(spec.states)},
          {"inputs", described(spec.inputs)},
          {"input_start", spec.input_start},
          {"input_step_max", spec.input_step_max},
          {"measurements", described(spec.measurements)},
          {"exogenous", described(spec.exogenous)},
          {"reward_terms", described(spec.reward_terms)},
          {"limits", described(spec.limits)},
          {"observation", described(observation)}};
}

void print_space(const char* title, const env::Space& space) {
  if (space.empty()) return;
  std::println("\n{}", title);
  for (const env::Variable& variable : space)
    std::println("  {:<24} {:>10} .. {:<10} {:<10} {}", variable.name, variable.low, variable.high, variable.unit,
                 variable.description);
}

void print_text(const env::PlantSpec& spec, const env::Task& task) {
  std::println("{}: {}", spec.name, spec.description);
  std::println("sample period {:.6g} s, episode {} steps", spec.sample_period_s, task.steps);
  print_space("inputs (a controller sets)", spec.inputs);
  print_space("measurements", spec.measurements);
  print_space("exogenous (seen, not set)", spec.exogenous);
  print_space("limits (violations are counted)", spec.limits);
  std::println("\nreward, the sum of");
  for (const env::Variable& term : spec.reward_terms)
    std::println("  {:<24} {:<10} {}", term.name, term.unit, term.description);
  std::println("\nparameters (change with --set name=value)");
  for (const env::Parameter& parameter : spec.parameters)
    std::println("  {:<24} {:>14} {:<12} {}", parameter.name, parameter.value, parameter.unit, parameter.description);
}

struct ListOptions {
  bool json = false;
};

void list(const ListOptions& options) {
  ordered_json plants = ordered_json::array();
  for (const std::string& name : env::plant_names()) {
    const auto model = or_stop(env::make_plant(name, 1));
    const env::PlantSpec& spec = model->spec();
    plants.push_back({{"name", name}, {"description", spec.description}});
    if (!options.json) std::println("{:<12} {}", name, spec.description);
  }
  if (options.json) print_json({{"plants", std::move(plants)}});
}

struct ShowOptions {
  std::string name;
  std::vector<std::string> settings;
  bool json = false;
};

void show(const ShowOptions& options) {
  const auto model = or_stop(env::make_plant(options.name, 1, parse_settings(options.settings)));
  const env::Task task = or_stop(env::make_task(options.name));
  if (options.json)
    print_json(described(model->spec(), task));
  else
    print_text(model->spec(), task);
}

}  // namespace

void add_plant_commands(CLI::App& plant) {
  plant.footer("Examples:\n  rltune plant list\n  rltune plant show lettuce --set c_leak=7.5e-5 --json");
  const auto listed = std::make_shared<ListOptions>();
  CLI::App& list_command = *plant.add_subcommand("list", "Every plant");
  list_command.add_flag("--json", listed->json, "One JSON object on stdout");
  list_command.callback([listed] { list(*listed); });

  const auto shown = std::make_shared<ShowOptions>();
  CLI::App& show_command = *plant.add_subcommand("show", "A plant's parameters, inputs, measurements and limits");
  show_command.add_option("name", shown->name, "Plant, as 'rltune plant list' names it")->required();
  add_set_option(show_command, shown->settings);
  show_command.add_flag("--json", shown->json, "One JSON object on stdout");
  show_command.footer("Examples:\n  rltune plant show lettuce\n  rltune plant show lettuce --set c_leak=7.5e-5 --json");
  show_command.callback([shown] { show(*shown); });
}

}  // namespace rltune::lab
