#include <algorithm>
#include <cmath>
#include <format>
#include <optional>

#include "episode_collector.hpp"
#include "rltune/experience/records.hpp"
#include "tag_samples.hpp"

namespace rltune::experience {
namespace {

// What the historian has of the tags that a decision's record lacks: their newest good sample at that time.
class Recollection {
 public:
  static Result<Recollection> open(const config::Site& site, const std::vector<std::size_t>& tags) {
    Recollection made;
    made.site_ = &site;
    made.tags_ = tags;
    auto historian = historian::Historian::open_reader(site.folder / site.storage.folder);
    if (!historian && historian.error().code != Errc::not_found) return std::unexpected(historian.error());
    if (historian) {
      made.names_ = historian->tags();
      made.historian_.emplace(std::move(*historian));
    }
    return made;
  }

  Result<> complete(historian::Decision& decision) const {
    for (const std::size_t tag : tags_) {
      const std::string& name = site_->tags[tag].name;
      if (std::ranges::find(decision.seen, name, &historian::SeenValue::tag) != decision.seen.end()) continue;
      const auto value = at(tag, decision.time);
      if (!value) return std::unexpected(value.error());
      decision.seen.push_back({name, *value});
    }
    return {};
  }

 private:
  // NaN where nothing good is known that is not too old.
  Result<double> at(std::size_t tag, TimePoint time) const {
    const std::string& name = site_->tags[tag].name;
    if (std::ranges::find(names_, name) == names_.end()) return std::nan("");
    const double stale_s = site_->stale_after_s(site_->tags[tag]);
    const Duration back = from_seconds(stale_s > 0.0 ? stale_s : kLookBackS);
    double value = std::nan("");
    TagSamples samples(*historian_, name, time - back, time + Duration(1));
    for (;;) {
      const auto sample = samples.peek();
      if (!sample) return std::unexpected(sample.error());
      if (*sample == nullptr) return value;
      if ((*sample)->element == 0) value = (*sample)->quality == Quality::good ? (*sample)->value : std::nan("");
      samples.pop();
    }
  }

  static constexpr double kLookBackS = 86'400.0;

  const config::Site* site_ = nullptr;
  std::vector<std::size_t> tags_;
  std::optional<historian::Historian> historian_;
  std::vector<std::string> names_;  // of what the historian has
};

}  // namespace

Result<Gathered> decisions_dataset(const config::Site& site, const config::Agent& agent,
                                   const policy::Artifact& artifact, const RecordsOptions& options) {
  auto builder = TransitionBuilder::create(site, agent, artifact.manifest);
  if (!builder) return std::unexpected(builder.error());
  auto decisions =
      historian::newest_decisions(site.folder / site.storage.folder / "decisions", TimePoint{}, options.newest);
  if (!decisions) return std::unexpected(decisions.error());
  const auto recollection = Recollection::open(site, builder->rewarded());
  if (!recollection) return std::unexpected(recollection.error());
  EpisodeCollector collector(site, agent, artifact.manifest, "decision log");
  Gathered gathered;
  for (historian::Decision& decision : *decisions) {
    if (decision.time < options.from || decision.time >= options.to) continue;
    if (decision.agent == agent.id && decision.origin == "policy") {
      ++gathered.rows;
      if (!options.any_policy && decision.policy_sha256 != artifact.sha256) {
        ++gathered.of_other_policies;
        decision.origin = "another policy";
      } else {
        gathered.not_learnable += decision.learnable && !decision.observation.empty() ? 0 : 1;
        if (auto done = recollection->complete(decision); !done) return std::unexpected(done.error());
      }
    }
    if (const auto transition = builder->add(decision)) collector.add(*transition);
  }
  auto dataset = collector.finish();
  if (!dataset) return std::unexpected(dataset.error());
  gathered.dataset = std::move(*dataset);
  return gathered;
}

}  // namespace rltune::experience
