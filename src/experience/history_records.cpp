#include <algorithm>
#include <cmath>
#include <format>
#include <memory>

#include "episode_collector.hpp"
#include "rltune/experience/records.hpp"
#include "rltune/pipeline/pipeline.hpp"
#include "rltune/pipeline/snapshot_assembler.hpp"
#include "rltune/policy/policy_controller.hpp"
#include "tag_samples.hpp"

namespace rltune::experience {
namespace {

constexpr std::size_t kOfLate = 3;  // periods

// Plays the samples back in the order of their time and asks at the end of every period what an agent would have seen.
class Playback {
 public:
  static Result<Playback> create(const config::Site& site, const config::Agent& agent, const policy::Artifact& artifact,
                                 std::vector<std::size_t> rewarded, const RecordsOptions& options);

  // The row at `now`, whose action is what came to be until `next`. Without observation where nothing usable is there.
  Result<historian::Decision> row(TimePoint now, TimePoint next);
  // Of the first sample that a policy's measurement has.
  Result<std::optional<TimePoint>> begin();
  bool over() const noexcept { return over_; }

 private:
  struct Stream {
    std::uint32_t tag = 0;
    TagSamples samples;
    bool needed = false;          // the policy sees it
    std::size_t rows_in_a_row{};  // in so many periods, up to this one, there was a sample
  };

  Playback(const config::Site& site, const config::Agent& agent, historian::Historian historian,
           pipeline::Pipeline pipeline, pipeline::SnapshotAssembler assembler,
           std::unique_ptr<policy::PolicyController> controller, std::vector<std::size_t> rewarded)
      : site_(&site),
        agent_(&agent),
        historian_(std::make_unique<historian::Historian>(std::move(historian))),
        pipeline_(std::move(pipeline)),
        assembler_(std::move(assembler)),
        controller_(std::move(controller)),
        rewarded_(std::move(rewarded)),
        tags_(pipeline_.elements()) {}

  void open_streams(const policy::Manifest& manifest, const RecordsOptions& options);
  bool as_measured() const;
  Result<bool> take_seen(TimePoint until);
  bool settled(TimePoint now, bool whole);
  Result<double> mean_applied(Stream& stream, TimePoint from, TimePoint to);
  void observe(historian::Decision& row, TimePoint now);

  const config::Site* site_;
  const config::Agent* agent_;
  std::unique_ptr<historian::Historian> historian_;  // the streams point there
  pipeline::Pipeline pipeline_;
  pipeline::SnapshotAssembler assembler_;
  std::unique_ptr<policy::PolicyController> controller_;
  std::vector<std::size_t> rewarded_;
  std::vector<pipeline::TagValue> tags_;
  std::vector<std::size_t> needed_;     // tags that the policy sees
  std::vector<Stream> seen_, applied_;  // what is measured; what is set, in the order of the policy's inputs
  std::vector<Sample> latest_;          // of applied_
  std::vector<double> inputs_;
  bool started_ = false, over_ = false;
  TimePoint broken_{};  // when something was last missing
  std::size_t unsure_ = 0;
};

Result<Playback> Playback::create(const config::Site& site, const config::Agent& agent,
                                  const policy::Artifact& artifact, std::vector<std::size_t> rewarded,
                                  const RecordsOptions& options) {
  auto historian = historian::Historian::open_reader(site.folder / site.storage.folder);
  if (!historian) return std::unexpected(historian.error());
  auto pipeline = pipeline::Pipeline::create(site);
  if (!pipeline) return std::unexpected(pipeline.error());
  const policy::Manifest& manifest = artifact.manifest;
  auto assembler = pipeline::SnapshotAssembler::create(
      site, agent, *pipeline, {manifest.measurements, manifest.inputs, manifest.exogenous, manifest.forecast_leads});
  if (!assembler) return std::unexpected(assembler.error());
  auto controller = policy::PolicyController::create(artifact);
  if (!controller) return std::unexpected(controller.error());
  Playback made(site, agent, std::move(*historian), std::move(*pipeline), std::move(*assembler), std::move(*controller),
                std::move(rewarded));
  made.open_streams(manifest, options);
  return made;
}

void Playback::open_streams(const policy::Manifest& manifest, const RecordsOptions& options) {
  for (const env::Space* space : {&manifest.measurements, &manifest.exogenous})
    for (const env::Variable& variable : *space) {
      const auto bound = agent_->bindings.find(variable.name);
      const auto tag = site_->find_tag(bound == agent_->bindings.end() ? variable.name : bound->second);
      if (tag) needed_.push_back(*tag);
    }
  const std::vector<std::string> known = historian_->tags();
  const auto stream = [&](std::size_t tag, TimePoint from) {
    return Stream{static_cast<std::uint32_t>(tag), {*historian_, site_->tags[tag].name, from, options.to}};
  };
  const auto& set = assembler_.input_tags();
  // A set-point may stand unchanged for long.
  for (const std::size_t tag : set) applied_.push_back(stream(tag, TimePoint{}));
  for (std::size_t tag = 0; tag < site_->tags.size(); ++tag)
    if (std::ranges::find(set, tag) == set.end() && std::ranges::find(known, site_->tags[tag].name) != known.end())
      seen_.push_back(stream(tag, options.from));
  for (Stream& one : seen_) one.needed = std::ranges::find(needed_, one.tag) != needed_.end();
  latest_.resize(set.size());
  inputs_.resize(set.size());
}

Result<std::optional<TimePoint>> Playback::begin() {
  std::optional<TimePoint> first;
  for (Stream& stream : seen_) {
    if (site_->tags[stream.tag].role != config::TagRole::measurement) continue;
    const auto sample = stream.samples.peek();
    if (!sample) return std::unexpected(sample.error());
    if (*sample != nullptr) first = std::min(first.value_or((*sample)->source_time), (*sample)->source_time);
  }
  return first;
}

// Whether all is there that can be expected: of each tag that had a sample in every period of late, another one. Many
// are recorded only when they change, so that a single tag's silence says nothing else. over_: nothing follows.
Result<bool> Playback::take_seen(TimePoint until) {
  bool any = false, more = false, missing = false;
  for (Stream& stream : seen_) {
    bool here = false;
    for (;;) {
      const auto next = stream.samples.peek();
      if (!next) return std::unexpected(next.error());
      more = more || *next != nullptr;
      if (*next == nullptr || (*next)->source_time > until) break;
      Sample sample = **next;
      sample.tag = stream.tag;
      pipeline_.add({&sample, 1});
      stream.samples.pop();
      any = here = true;
    }
    missing = missing || (stream.needed && !here && stream.rows_in_a_row >= kOfLate);
    stream.rows_in_a_row = here ? stream.rows_in_a_row + 1 : 0;
  }
  over_ = !more;
  return any && !missing;
}

// Where samples were lost, what was set may have been lost as well: it is known again when it was set anew, or believed
// after a while.
bool Playback::settled(TimePoint now, bool whole) {
  if (!whole) {
    broken_ = now;
    unsure_ = kOfLate;
    return false;
  }
  if (unsure_ == 0) return true;
  const bool anew =
      std::ranges::all_of(latest_, [this](const Sample& sample) { return sample.source_time >= broken_; });
  unsure_ = anew ? 0 : unsure_ - 1;
  return anew;
}

// Over [from, to), each value until the next one; NaN where it is not known all the time. Where both are the same it
// only takes what was set before.
Result<double> Playback::mean_applied(Stream& stream, TimePoint from, TimePoint to) {
  Sample& latest = latest_[static_cast<std::size_t>(&stream - applied_.data())];
  const auto known = [](const Sample& sample) { return sample.quality == Quality::good ? sample.value : std::nan(""); };
  double sum = 0.0;
  TimePoint at = from;
  for (;;) {
    const auto next = stream.samples.peek();
    if (!next) return std::unexpected(next.error());
    if (*next == nullptr || (*next)->source_time >= to) break;
    if ((*next)->source_time > at) {
      sum += to_seconds((*next)->source_time - at) * known(latest);
      at = (*next)->source_time;
    }
    latest = **next;
    latest.tag = stream.tag;
    pipeline_.add({&latest, 1});
    stream.samples.pop();
  }
  sum += to_seconds(to - at) * known(latest);
  return sum / to_seconds(to - from);
}

// An agent decides by values that stand in for bad ones; nobody learns from those.
bool Playback::as_measured() const {
  return std::ranges::all_of(needed_,
                             [this](std::size_t tag) { return tags_[pipeline_.element_offset(tag)].health == 0; });
}

void Playback::observe(historian::Decision& row, TimePoint now) {
  pipeline_.judge(now, tags_);
  const bool usable = assembler_.assemble(tags_, now) && as_measured();
  const env::Snapshot& snapshot = assembler_.snapshot();
  row.previous_inputs.assign(snapshot.inputs.begin(), snapshot.inputs.end());
  for (const std::size_t tag : rewarded_) {
    const pipeline::TagValue& value = tags_[pipeline_.element_offset(tag)];
    row.seen.push_back({site_->tags[tag].name, value.health == 0 ? value.value : std::nan("")});
  }
  if (!usable) return;
  if (!started_) controller_->reset(snapshot);
  std::ranges::copy(snapshot.inputs, inputs_.begin());
  started_ = controller_->act(snapshot, inputs_) != controllers::Outcome::fault;
  if (started_) row.observation.assign(controller_->observation().begin(), controller_->observation().end());
}

Result<historian::Decision> Playback::row(TimePoint now, TimePoint next) {
  historian::Decision row;
  row.agent = agent_->id;
  row.origin = "policy";
  row.time = now;
  const auto whole = take_seen(now);
  if (!whole) return std::unexpected(whole.error());
  for (Stream& stream : applied_)
    if (const auto done = mean_applied(stream, now, now); !done) return std::unexpected(done.error());
  observe(row, now);
  if (!settled(now, *whole)) row.observation.clear();  // what stands there is older than it looks
  started_ = started_ && !row.observation.empty();
  row.learnable = !row.observation.empty();
  for (Stream& stream : applied_) {
    const auto mean = mean_applied(stream, now, next);
    if (!mean) return std::unexpected(mean.error());
    row.outputs.push_back({.tag = site_->tags[stream.tag].name, .applied = *mean, .written = true});
  }
  return row;
}

}  // namespace

Result<Gathered> history_dataset(const config::Site& site, const config::Agent& agent, const policy::Artifact& artifact,
                                 const RecordsOptions& options) {
  auto builder = TransitionBuilder::create(site, agent, artifact.manifest);
  if (!builder) return std::unexpected(builder.error());
  auto playback = Playback::create(site, agent, artifact, builder->rewarded(), options);
  if (!playback) return std::unexpected(playback.error());
  EpisodeCollector collector(site, agent, artifact.manifest, "historian");
  const auto begin = playback->begin();
  if (!begin) return std::unexpected(begin.error());
  Gathered gathered;
  const Duration period = from_seconds(agent.period_s);
  for (TimePoint now = begin->value_or(options.to); now < options.to && !playback->over(); now += period) {
    const auto row = playback->row(now, now + period);
    if (!row) return std::unexpected(row.error());
    ++gathered.rows;
    gathered.not_learnable += row->learnable ? 0 : 1;
    if (const auto transition = builder->add(*row)) collector.add(*transition);
  }
  auto dataset = collector.finish();
  if (!dataset) return std::unexpected(dataset.error());
  gathered.dataset = std::move(*dataset);
  return gathered;
}

}  // namespace rltune::experience
