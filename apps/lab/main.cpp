// rltune-lab serves the nouns plant, policy, run and controller of the command line: what a person does before there
// is a site.
#include "common.hpp"
#include "rltune/base/log.hpp"
#include "run_commands.hpp"

int main(int argc, char** argv) {
  using namespace rltune::lab;
  rltune::log::start("lab");
  CLI::App app{"Plants, policies and controllers.", "rltune"};
  app.require_subcommand(1);
  CLI::App& plant = *app.add_subcommand("plant", "Plants and their parameters")->require_subcommand(1);
  add_plant_commands(plant);
  CLI::App& policy = *app.add_subcommand("policy", "Train, evaluate, show and import policies")->require_subcommand(1);
  add_policy_train_command(policy);
  add_policy_evaluate_command(policy);
  add_policy_show_command(policy);
  add_policy_import_command(policy);
  add_policy_hyperparameters_command(policy);
  CLI::App& controller = *app.add_subcommand("controller", "Classical controllers: list, tune")->require_subcommand(1);
  add_controller_commands(controller);
  CLI::App& run =
      *app.add_subcommand("run", "Training runs: list, show, compare, plot, sweep, explain")->require_subcommand(1);
  add_run_list_command(run);
  add_run_show_command(run);
  add_run_compare_command(run);
  add_run_plot_command(run);
  add_run_sweep_command(run);
  add_run_explain_command(run);
  CLI::App& dataset = *app.add_subcommand("dataset", "Data to learn from: import, show, record")->require_subcommand(1);
  add_dataset_import_command(dataset);
  add_dataset_show_command(dataset);
  add_dataset_record_command(dataset);
  return rltune::command::run(app, argc, argv);
}
