// rltune dataset record: somebody acts in an environment or on a plant's twin, and what came of it is kept.
#include <algorithm>
#include <format>
#include <memory>

#include "common.hpp"
#include "dataset_commands.hpp"
#include "entrant.hpp"
#include "rltune/base/random.hpp"
#include "rltune/env/control_environment.hpp"
#include "rltune/env/environments.hpp"
#include "rltune/env/history.hpp"
#include "rltune/nn/policy_network.hpp"
#include "rltune/policy/artifact.hpp"
#include "world.hpp"

namespace rltune::lab {
namespace {

using dataset::Dataset;

struct RecordOptions {
  WorldOptions world;       // its plant, or
  std::string environment;  // one of env::environment_names()
  std::string policy, controller, out;
  std::vector<std::string> parameters;  // of the controller
  int forecast_leads = -1;
  std::size_t episodes = 100;
  double noise = 0.0;
  std::uint64_t seed = 1;
  bool json = false;
};

// One instance of an environment or a plant that somebody acts in: a policy or a plant's controller, with a part of
// random actions, or chance alone.
class Recorder {
 public:
  explicit Recorder(const RecordOptions& options) : options_(options), random_(options.seed) {
    if (options.world.plant.empty() == options.environment.empty())
      stop(kWrongUsage, "give either --plant or --environment: where to act");
    if (!options.controller.empty() && (options.world.plant.empty() || !options.policy.empty()))
      stop(kWrongUsage, "--controller acts on a --plant, and in the place of a --policy");
    std::optional<policy::Artifact> artifact;
    if (!options.policy.empty()) artifact = or_stop(policy::load_artifact(options.policy));
    make_environment(artifact ? static_cast<int>(artifact->manifest.forecast_leads) : options.forecast_leads);
    if (!artifact) return;
    take_history(artifact->manifest);
    policy_.emplace(or_stop(nn::PolicyNetwork::create(artifact->network)));
    if (policy_->inputs() != spec().observation.size() || artifact->network.discrete != (spec().discrete_actions > 0))
      stop(kWrongUsage, std::format("{} is no policy for {}", options.policy, spec().name));
  }

  Dataset record() {
    Dataset data{.name = spec().name,
                 .observation = spec().observation,
                 .action = action_,
                 .discrete_actions = spec().discrete_actions};
    const std::string who = !options_.policy.empty() ? options_.policy : options_.controller;
    data.metadata = {{options_.environment.empty() ? "plant" : "environment", spec().name},
                     {"policy", who.empty() ? "random" : who},
                     {"noise", std::format("{}", who.empty() ? 1.0 : options_.noise)},
                     {"seed", std::format("{}", options_.seed)}};
    std::vector<float> observation(spec().observation.size());
    environment_->reset(options_.seed, observation);
    for (std::size_t i = 0; i < options_.episodes; ++i) data.episodes.push_back(episode(observation));
    dataset::measure_observations(data);
    return data;
  }

 private:
  const env::EnvironmentSpec& spec() const { return environment_->spec(); }

  void make_environment(int forecast_leads) {
    if (!options_.environment.empty()) {
      environment_ = or_stop(env::make_environment(options_.environment, 1));
      action_ = spec().action;
      allowed_.assign(spec().discrete_actions, 1);
      return;
    }
    World world = make_world(options_.world);
    if (!options_.controller.empty())
      teacher_ = or_stop(find_entrant(options_.controller, options_.parameters, world.plant).make());
    world.task = task_with_leads(world, forecast_leads);
    action_ = env::action_space(world.plant.inputs, world.task.action);
    env::SimulationOptions simulation = world.simulation();
    simulation.instances = 1;
    auto plant = or_stop(env::make_control_environment(std::move(simulation)));
    simulation_ = &plant->simulation();
    wanted_.resize(plant->spec().action.size());
    environment_ = std::move(plant);
  }

  // What the policy sees of the past is in the data.
  void take_history(const policy::Manifest& manifest) {
    const env::HistoryOptions history = or_stop(env::history_of(manifest.observation));
    if (!history.empty()) environment_ = env::with_history(std::move(environment_), history);
  }

  // From `observation` to the end; leaves the first observation of the next one there.
  dataset::Episode episode(std::vector<float>& observation) {
    dataset::Episode episode;
    std::vector<float> action(spec().action.size()), last(observation.size());
    if (policy_) policy_->reset();
    if (teacher_) teacher_->reset(simulation_->snapshot(0));
    for (std::uint8_t terminated = 0, truncated = 0; (terminated | truncated) == 0;) {
      decide(observation, action);
      episode.observations.insert(episode.observations.end(), observation.begin(), observation.end());
      episode.actions.insert(episode.actions.end(), action.begin(), action.end());
      episode.rewards.push_back(0.0F);
      environment_->step(action,
                         {observation, last, {&episode.rewards.back(), 1}, {}, {&terminated, 1}, {&truncated, 1}});
      episode.terminated = terminated != 0;
    }
    episode.observations.insert(episode.observations.end(), last.begin(), last.end());
    return episode;
  }

  void decide(const std::vector<float>& observation, std::vector<float>& action) {
    if (spec().action_masks) environment_->write_masks(allowed_);
    if (policy_) policy_->act(observation, action, allowed_);
    if (teacher_) follow_teacher(action);
    if ((policy_ || teacher_) && random_.uniform() >= options_.noise) return;
    for (float& value : action)
      value = allowed_.empty() ? static_cast<float>(random_.uniform(-1.0, 1.0))
                               : static_cast<float>(env::random_choice(random_, allowed_));
  }

  // The action that comes nearest to what the controller wants; where it wants nothing, to what is.
  void follow_teacher(std::vector<float>& action) {
    const env::Snapshot& now = simulation_->snapshot(0);
    if (teacher_->act(now, wanted_) != controllers::Outcome::ok) std::ranges::copy(now.inputs, wanted_.begin());
    for (std::size_t i = 0; i < action.size(); ++i)
      action[i] = static_cast<float>(
          std::clamp(env::action_for(simulation_->task().action[i], wanted_[i], now.inputs[i]), -1.0, 1.0));
  }

  const RecordOptions& options_;
  std::unique_ptr<env::Environment> environment_;
  const env::Simulation* simulation_ = nullptr;  // of a plant
  std::unique_ptr<controllers::Controller> teacher_;
  std::vector<double> wanted_;  // of the teacher, engineer's units
  env::Space action_;
  std::vector<std::uint8_t> allowed_;  // of the discrete actions; none where they are numbers
  Random random_;
  std::optional<nn::PolicyNetwork> policy_;
};

}  // namespace

void add_dataset_record_command(CLI::App& dataset) {
  const auto options = std::make_shared<RecordOptions>();
  CLI::App& command =
      *dataset.add_subcommand("record", "Act in an environment or on a plant's twin and keep what came of it");
  add_environment_option(command, options->environment, add_world_options(command, options->world));
  command
      .add_option("--forecast-leads", options->forecast_leads,
                  "Periods of forecast in the observation; as 'rltune policy train' takes them by default")
      ->check(CLI::Range(0, 96));
  command.add_option("--policy", options->policy, "Who acts; chance, where nobody is named")->type_name("DIR");
  command.add_option("--controller", options->controller, "Who acts on a plant: a controller's name, or its YAML file")
      ->type_name("NAME|FILE");
  command.add_option("--param", options->parameters, "Set a controller's parameter; may be repeated")
      ->type_name("NAME=VALUE");
  command.add_option("--noise", options->noise, "Part of their actions that chance replaces")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command.add_option("--episodes", options->episodes, "How many")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command.add_option("--seed", options->seed, "Of starts and chance")->capture_default_str();
  command.add_option("--out", options->out, "Where it goes")->required()->type_name("FILE");
  command.add_flag("--json", options->json, "One JSON object on stdout");
  command.footer(
      "Examples:\n  rltune dataset record --environment pendulum --policy policies/pendulum --noise 0.3 --out "
      "noisy.dataset\n"
      "  rltune dataset record --plant lettuce --policy policies/lettuce --noise 0.2 --episodes 20 --out "
      "lettuce.dataset\n"
      "  rltune dataset record --plant cstr --controller pid.yaml --episodes 200 --out pid.dataset");
  command.callback([options] {
    const Dataset data = Recorder(*options).record();
    or_stop(dataset::save(data, options->out));
    tell(data, options->json);
  });
}

}  // namespace rltune::lab
