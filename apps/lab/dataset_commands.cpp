// rltune dataset import | show | record: data to learn from without an environment.
#include <algorithm>
#include <cmath>
#include <format>
#include <memory>
#include <nlohmann/json.hpp>
#include <print>

#include "common.hpp"
#include "rltune/base/random.hpp"
#include "rltune/base/statistics.hpp"
#include "rltune/dataset/dataset.hpp"
#include "rltune/env/environments.hpp"
#include "rltune/nn/policy_network.hpp"
#include "rltune/policy/artifact.hpp"

namespace rltune::lab {
namespace {

using dataset::Dataset;
using nlohmann::ordered_json;

ordered_json described(const env::Space& space) {
  ordered_json list = ordered_json::array();
  for (const env::Variable& variable : space)
    list.push_back({{"name", variable.name}, {"unit", variable.unit}, {"low", variable.low}, {"high", variable.high}});
  return list;
}

ordered_json described(const Dataset& data) {
  const std::vector<double> returns = dataset::returns(data);
  const auto terminated = std::ranges::count_if(data.episodes, [](const auto& episode) { return episode.terminated; });
  ordered_json object{{"name", data.name},
                      {"episodes", data.episodes.size()},
                      {"transitions", data.transitions()},
                      {"terminated", terminated},
                      {"discrete_actions", data.discrete_actions},
                      {"return",
                       {{"mean", mean(returns)},
                        {"interquartile_mean", interquartile_mean(returns)},
                        {"lowest", std::ranges::min(returns)},
                        {"highest", std::ranges::max(returns)}}},
                      {"observation", described(data.observation)},
                      {"action", described(data.action)}};
  for (const auto& [name, text] : data.metadata) object["metadata"][name] = text;
  return object;
}

void print_space(const char* title, const env::Space& space) {
  std::println("\n{}", title);
  for (const env::Variable& variable : space)
    std::println("  {:<24} {:>12.6g} .. {:<12.6g} {}", variable.name, variable.low, variable.high, variable.unit);
}

void print_text(const Dataset& data) {
  const std::vector<double> returns = dataset::returns(data);
  std::println("{}: {} in {}", data.name, counted(data.transitions(), "transition"),
               counted(data.episodes.size(), "episode"));
  std::println("return: mean {:.4g}, interquartile mean {:.4g}, from {:.4g} to {:.4g}", mean(returns),
               interquartile_mean(returns), std::ranges::min(returns), std::ranges::max(returns));
  print_space("observation", data.observation);
  if (data.discrete_actions > 0)
    std::println("\naction: one of {}", data.discrete_actions);
  else
    print_space("action", data.action);
  if (data.metadata.empty()) return;
  std::println("\nmetadata");
  for (const auto& [name, text] : data.metadata) std::println("  {:<24} {}", name, text);
}

void tell(const Dataset& data, bool json) {
  if (json) return print_json(described(data));
  print_text(data);
}

struct RecordOptions {
  std::string environment, policy, out;
  std::size_t episodes = 100;
  double noise = 0.0;
  std::uint64_t seed = 1;
  bool json = false;
};

// One instance of an environment that somebody acts in: a policy, with a part of random actions, or chance alone.
class Recorder {
 public:
  explicit Recorder(const RecordOptions& options)
      : options_(options),
        environment_(or_stop(env::make_environment(options.environment, 1))),
        allowed_(spec().discrete_actions, 1),
        random_(options.seed) {
    if (!options.policy.empty()) {
      const policy::Artifact artifact = or_stop(policy::load_artifact(options.policy));
      policy_.emplace(or_stop(nn::PolicyNetwork::create(artifact.network)));
      if (policy_->inputs() != spec().observation.size() || artifact.network.discrete != (spec().discrete_actions > 0))
        stop(kWrongUsage, std::format("{} is no policy for {}", options.policy, options.environment));
    }
  }

  Dataset record() {
    Dataset data{.name = options_.environment,
                 .observation = spec().observation,
                 .action = spec().action,
                 .discrete_actions = spec().discrete_actions};
    data.metadata = {{"environment", options_.environment},
                     {"policy", options_.policy.empty() ? "random" : options_.policy},
                     {"noise", std::format("{}", options_.policy.empty() ? 1.0 : options_.noise)},
                     {"seed", std::format("{}", options_.seed)}};
    std::vector<float> observation(spec().observation.size());
    environment_->reset(options_.seed, observation);
    for (std::size_t i = 0; i < options_.episodes; ++i) data.episodes.push_back(episode(observation));
    return data;
  }

 private:
  const env::EnvironmentSpec& spec() const { return environment_->spec(); }

  // From `observation` to the end; leaves the first observation of the next one there.
  dataset::Episode episode(std::vector<float>& observation) {
    dataset::Episode episode;
    std::vector<float> action(spec().action.size()), last(observation.size());
    if (policy_) policy_->reset();
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
    if (policy_ && random_.uniform() >= options_.noise) return;
    for (float& value : action)
      value = allowed_.empty() ? static_cast<float>(random_.uniform(-1.0, 1.0))
                               : static_cast<float>(env::random_choice(random_, allowed_));
  }

  const RecordOptions& options_;
  std::unique_ptr<env::Environment> environment_;
  std::vector<std::uint8_t> allowed_;  // of the discrete actions; none where they are numbers
  Random random_;
  std::optional<nn::PolicyNetwork> policy_;
};

void add_import(CLI::App& noun) {
  struct Options {
    std::string file, out;
    bool json = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App& command = *noun.add_subcommand("import", "Read a Minari data set (HDF5) or CSV, check it, keep it as ours");
  command.add_option("FILE", options->file, "Minari's folder or main_data.hdf5, or a CSV file with a header")
      ->required();
  command.add_option("--out", options->out, "Where it goes")->required()->type_name("FILE");
  command.add_flag("--json", options->json, "One JSON object on stdout");
  command.footer(
      "CSV columns: episode, obs:NAME, act:NAME or act:NAME[LOW,HIGH] or choice, reward, terminated.\n"
      "Examples:\n  rltune dataset import ~/.minari/datasets/pendulum/expert-v0 --out expert.dataset\n"
      "  rltune dataset import shift.csv --out shift.dataset");
  command.callback([options] {
    const Dataset data = or_stop(dataset::read(options->file));
    or_stop(dataset::save(data, options->out));
    tell(data, options->json);
  });
}

void add_show(CLI::App& noun) {
  struct Options {
    std::string file;
    bool json = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App& command = *noun.add_subcommand("show", "Check a data set and say what is in it");
  command.add_option("FILE", options->file, "One of ours, Minari's or CSV")->required();
  command.add_flag("--json", options->json, "One JSON object on stdout");
  command.footer("Example:\n  rltune dataset show expert.dataset");
  command.callback([options] { tell(or_stop(dataset::read(options->file)), options->json); });
}

void add_record(CLI::App& noun) {
  const auto options = std::make_shared<RecordOptions>();
  CLI::App& command = *noun.add_subcommand("record", "Act in an environment and keep what came of it");
  command.add_option("--environment", options->environment, "Where")
      ->required()
      ->check(CLI::IsMember(env::environment_names()));
  command.add_option("--policy", options->policy, "Who acts; chance, where nobody is named")->type_name("DIR");
  command.add_option("--noise", options->noise, "Part of the policy's actions that chance replaces")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command.add_option("--episodes", options->episodes, "How many")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command.add_option("--seed", options->seed, "Of starts and chance")->capture_default_str();
  command.add_option("--out", options->out, "Where it goes")->required()->type_name("FILE");
  command.add_flag("--json", options->json, "One JSON object on stdout");
  command.footer(
      "Example:\n  rltune dataset record --environment pendulum --policy policies/pendulum --noise 0.3 --out "
      "noisy.dataset");
  command.callback([options] {
    const Dataset data = Recorder(*options).record();
    or_stop(dataset::save(data, options->out));
    tell(data, options->json);
  });
}

}  // namespace

void add_dataset_commands(CLI::App& dataset) {
  add_import(dataset);
  add_show(dataset);
  add_record(dataset);
}

}  // namespace rltune::lab
