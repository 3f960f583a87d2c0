#include "episode_collector.hpp"

#include <format>

namespace rltune::experience {
EpisodeCollector::EpisodeCollector(const config::Site& site, const config::Agent& agent,
                                   const policy::Manifest& manifest, std::string_view source) {
  dataset_.name = std::format("{}, {}", site.name, agent.id);
  for (const env::Feature& feature : manifest.observation) dataset_.observation.push_back(feature.variable);
  dataset_.action = env::action_space(manifest.inputs, manifest.action);
  dataset_.metadata = {{"source", std::string(source)},
                       {"site", site.name},
                       {"agent", agent.id},
                       {"plant", manifest.plant},
                       {"period_s", std::format("{}", agent.period_s)},
                       {"reward", agent.learning.reward}};
  for (const auto& [name, text] : agent.learning.costs) dataset_.metadata["cost " + name] = text;
}

void EpisodeCollector::add(const Transition& transition) {
  const bool follows = end_ && *end_ == transition.from;
  if (!follows) {
    dataset_.episodes.emplace_back().observations = transition.observation;
    if (!end_) dataset_.metadata["from"] = format_rfc3339(transition.from);
  }
  dataset::Episode& episode = dataset_.episodes.back();
  episode.actions.insert(episode.actions.end(), transition.action.begin(), transition.action.end());
  episode.rewards.push_back(static_cast<float>(transition.reward));
  episode.observations.insert(episode.observations.end(), transition.next_observation.begin(),
                              transition.next_observation.end());
  end_ = transition.time;
}

Result<dataset::Dataset> EpisodeCollector::finish() {
  if (!end_)
    return fail(Errc::not_found,
                std::format("{}: no two decisions follow each other with all that a transition needs", dataset_.name));
  dataset_.metadata["to"] = format_rfc3339(*end_);
  dataset::measure_observations(dataset_);
  if (auto good = dataset::check(dataset_); !good) return std::unexpected(good.error());
  return std::move(dataset_);
}

}  // namespace rltune::experience
