#include "rltune/rl/learner.hpp"

#include <format>

#include "bc.hpp"
#include "defaults.hpp"
#include "dqn.hpp"
#include "iql.hpp"
#include "ppo.hpp"
#include "recurrent_ppo.hpp"
#include "rltune/env/environments.hpp"
#include "sac.hpp"
#include "td3.hpp"
#include "td3_bc.hpp"

namespace rltune::rl {
namespace {

constexpr std::string_view kFormat = "rltune/learner/v2";

// One line an algorithm.
struct Algorithm {
  std::string_view name;
  bool offline;
  Hyperparameters (*declare)();
  Result<std::unique_ptr<Learner>> (*make)(const LearnerOptions&, const Hyperparameters&);
};

template <typename Fields, auto make>
constexpr Algorithm algorithm(std::string_view name, bool offline = false) {
  return {name, offline, [] { return declare(Fields{}); },
          [](const LearnerOptions& options, const Hyperparameters& given) -> Result<std::unique_ptr<Learner>> {
            auto fields = bind<Fields>(given);
            if (!fields) return std::unexpected(fields.error());
            return make(options, *fields);
          }};
}

constexpr std::array kAlgorithms{algorithm<SacHyperparameters, make_sac>("sac"),
                                 algorithm<PpoHyperparameters, make_ppo>("ppo"),
                                 algorithm<RecurrentPpoHyperparameters, make_recurrent_ppo>("recurrent-ppo"),
                                 algorithm<Td3Hyperparameters, make_td3>("td3"),
                                 algorithm<DqnHyperparameters, make_dqn>("dqn"),
                                 algorithm<BcHyperparameters, make_bc>("bc", true),
                                 algorithm<Td3BcHyperparameters, make_td3_bc>("td3-bc", true),
                                 algorithm<IqlHyperparameters, make_iql>("iql", true)};

Result<const Algorithm*> find(std::string_view name) {
  std::string names;
  for (const Algorithm& candidate : kAlgorithms) {
    if (candidate.name == name) return &candidate;
    names += (names.empty() ? "" : ", ") + std::string(candidate.name);
  }
  return fail(Errc::not_found, std::format("there is no algorithm '{}'; there are {}", name, names));
}

}  // namespace

std::vector<std::string> algorithm_names() {
  std::vector<std::string> names;
  for (const Algorithm& candidate : kAlgorithms) names.emplace_back(candidate.name);
  return names;
}

bool learns_offline(std::string_view name) {
  const auto found = find(name);
  return found && (*found)->offline;
}

Result<Hyperparameters> default_hyperparameters(std::string_view name, std::string_view plant) {
  auto found = find(name);
  if (!found) return std::unexpected(found.error());
  Hyperparameters hyperparameters = (*found)->declare();
  const std::vector<std::string> environments = env::environment_names();
  const bool is_environment = std::ranges::find(environments, plant) != environments.end();
  const std::string origin = (is_environment ? "environment " : "plant ") + std::string(plant);
  for (const PlantDefault& entry : plant_defaults()) {
    if (entry.plant != plant || entry.algorithm != name) continue;
    if (auto set = hyperparameters.set(entry.name, entry.value, origin); !set) return std::unexpected(set.error());
  }
  return hyperparameters;
}

Result<std::unique_ptr<Learner>> make_learner(std::string_view name, const LearnerOptions& options,
                                              const Hyperparameters& hyperparameters) {
  auto found = find(name);
  if (!found) return std::unexpected(found.error());
  return (*found)->make(options, hyperparameters);
}

Result<> save(Learner& learner, const std::filesystem::path& path) {
  Archive archive = Archive::writer(kFormat);
  learner.archive(archive);
  return archive.write(path);
}

Result<> load(Learner& learner, const std::filesystem::path& path) {
  auto archive = Archive::read(path, kFormat);
  if (!archive) return std::unexpected(archive.error());
  learner.archive(*archive);
  return archive->result();
}

}  // namespace rltune::rl
