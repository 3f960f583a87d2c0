#include "rltune/alerts/engine.hpp"

#include <algorithm>
#include <format>
#include <set>

#include "rltune/base/log.hpp"
#include "rltune/base/sha256.hpp"
#include "rule_watch.hpp"
#include "words.hpp"

namespace rltune::alerts {
namespace {

constexpr int kStateFormat = 1;
constexpr std::size_t kWordsMax = 1000;  // of a person's reason

std::string id_of(const std::string& site, const std::string& rule, const std::string& key) {
  return rule + "-" + sha256(site + "\n" + rule + "\n" + key).substr(0, 12);
}

}  // namespace

struct Engine::State {
  State(config::Alerts the_alerts, EngineOptions the_options, TimePoint now)
      : alerts(std::move(the_alerts)), options(std::move(the_options)), evaluated(now), certain(now) {
    for (const config::Alert& rule : alerts.alerts) watches.emplace_back(rule, now);
  }

  // Of one episode: what is said of it belongs together, and the next time it fires is another.
  static std::string episode(const Instance& instance) {
    return std::format("{}.{}", instance.id, instance.fired.time_since_epoch() / std::chrono::milliseconds(1));
  }

  void tell(const Instance& instance, NoticeKind kind, TimePoint now) {
    for (const std::string& channel : instance.channels) {
      outbox.push_back({.number = next_number++,
                        .kind = kind,
                        .channel = channel,
                        .key = episode(instance),
                        .site = options.site,
                        .rule = instance.rule,
                        .severity = instance.severity,
                        .summary = instance.summary,
                        .action = instance.action,
                        .labels = instance.labels,
                        .value = instance.value,
                        .fired = instance.fired,
                        .at = now,
                        .acknowledged = instance.acknowledged});
      ++counts.notices;
      if (outbox.size() > options.outbox_max) outbox.pop_front(), ++counts.notices_dropped;
    }
    changed = true;
  }

  void evaluate(RuleWatch& watch, TimePoint now) {
    std::set<std::string> seen;
    for (const Figure& figure : watch.figures(now, options.lookback)) {
      const std::string id = id_of(options.site, watch.rule().name, figure.key);
      step(watch, id, figure, now);
      seen.insert(id);
    }
    // Those whose series says nothing any more.
    std::vector<std::string> gone;
    for (const auto& [id, instance] : instances)
      if (instance.rule == watch.rule().name && !seen.contains(id)) gone.push_back(id);
    for (const std::string& id : gone) step(watch, id, {}, now);
  }

  void step(RuleWatch& watch, const std::string& id, const Figure& figure, TimePoint now) {
    const auto found = instances.find(id);
    // What was known before a restart holds until everybody has been asked again.
    if (!figure.value && now < certain) return;
    const bool over = figure.value && watch.is_over(*figure.value);
    if (found == instances.end()) {
      if (over) begin(watch, id, figure, now);
      return;
    }
    Instance& instance = found->second;
    if (figure.value) instance.value = *figure.value;
    if (over) instance.summary = watch.summary(instance.value, instance.labels);
    if (instance.state == alerts::State::pending) {
      if (!over)
        instances.erase(found), changed = true;
      else
        fire_if_due(watch, instance, now);
      return;
    }
    const bool clear = !figure.value || watch.is_clear(*figure.value);
    if (clear)
      clear_if_due(watch, id, now);
    else if (instance.clear_since)
      instance.clear_since.reset(), changed = true;
    if (!clear) repeat_if_due(watch, instance, now);
  }

  void begin(const RuleWatch& watch, const std::string& id, const Figure& figure, TimePoint now) {
    if (instances.size() >= options.instances_max) {
      if (counts.instances_left_out++ == 0)
        log::error("alerts are left out: there are too many", {{"rule", watch.rule().name}});
      return;
    }
    const config::Alert& rule = watch.rule();
    Instance& instance = instances[id];
    instance = {.id = id,
                .rule = rule.name,
                .labels = figure.labels,
                .severity = rule.severity,
                .summary = watch.summary(*figure.value, figure.labels),
                .action = rule.action,
                .channels = rule.channels,
                .state = alerts::State::pending,
                .value = *figure.value,
                .since = now,
                .clear_since = {},
                .acknowledged = {}};
    changed = true;
    fire_if_due(watch, instance, now);
  }

  void fire_if_due(const RuleWatch& watch, Instance& instance, TimePoint now) {
    const config::Alert& rule = watch.rule();
    // An absence has its time in the figure.
    if (rule.when != "absent" && now - instance.since < from_seconds(rule.for_s)) return;
    instance.state = alerts::State::firing;
    instance.fired = instance.told = now;
    tell(instance, NoticeKind::firing, now);
  }

  void clear_if_due(const RuleWatch& watch, const std::string& id, TimePoint now) {
    Instance& instance = instances.at(id);
    if (!instance.clear_since) instance.clear_since = now, changed = true;
    if (now - *instance.clear_since >= from_seconds(watch.rule().clear_for_s)) resolve(id, now);
  }

  void resolve(const std::string& id, TimePoint now) {
    const auto node = instances.extract(id);
    tell(node.mapped(), NoticeKind::resolved, now);
  }

  void repeat_if_due(const RuleWatch& watch, Instance& instance, TimePoint now) {
    bool due = now - instance.told >= from_seconds(60.0 * watch.rule().repeat_minutes);
    if (instance.acknowledged) {
      const auto& until = instance.acknowledged->until;
      if (!until || now < *until) return;
      instance.acknowledged.reset();
      due = true;  // the silence has ended, and it is still there
    }
    if (!due) return;
    instance.told = now;
    tell(instance, NoticeKind::repeated, now);
  }

  std::size_t series() const {
    std::size_t sum = 0;
    for (const RuleWatch& watch : watches) sum += watch.series();
    return sum;
  }

  // What rules that are gone have told is over for those whom they told.
  void resolve_orphans(TimePoint now) {
    std::vector<std::string> orphans;
    for (const auto& [id, instance] : instances)
      if (std::ranges::none_of(alerts.alerts, [&](const auto& rule) { return rule.name == instance.rule; }))
        orphans.push_back(id);
    for (const std::string& id : orphans) {
      if (instances.at(id).state == alerts::State::firing)
        resolve(id, now);
      else
        instances.erase(id);
    }
  }

  config::Alerts alerts;
  EngineOptions options;
  std::vector<RuleWatch> watches;
  std::map<std::string, Instance> instances;  // by id
  std::deque<Notice> outbox;
  std::uint64_t next_number = 1;
  TimePoint evaluated{};  // last time
  TimePoint certain{};    // before it, a series that says nothing may not have been asked yet
  EngineCounts counts;
  bool changed = false;
};

Engine::Engine(config::Alerts alerts, EngineOptions options, TimePoint now)
    : state_(std::make_unique<State>(std::move(alerts), std::move(options), now)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine::~Engine() = default;

void Engine::take(const telemetry::MetricSample& sample, TimePoint at) {
  for (RuleWatch& watch : state_->watches) {
    if (!watch.looks_at(sample) || watch.take(sample, at, state_->counts.series < state_->options.series_max)) continue;
    if (state_->counts.series_left_out++ == 0)
      log::error("series are left out of alerts: there are too many", {{"metric", sample.name}});
  }
  state_->counts.series = state_->series();
}

void Engine::take(const LogFacts& entry, TimePoint at) {
  for (RuleWatch& watch : state_->watches) watch.take(entry, at);
}

bool Engine::evaluate(TimePoint now) {
  for (RuleWatch& watch : state_->watches) state_->evaluate(watch, now);
  state_->evaluated = now;
  state_->counts.series = state_->series();
  return std::exchange(state_->changed, false);
}

std::vector<Instance> Engine::instances() const {
  std::vector<Instance> all;
  for (const auto& [id, instance] : state_->instances) all.push_back(instance);
  return all;
}

Result<Instance> Engine::acknowledge(const std::string& id, const std::string& who, const std::string& why,
                                     std::optional<TimePoint> until, TimePoint now) {
  const auto found = state_->instances.find(id);
  if (found == state_->instances.end() || found->second.state != alerts::State::firing)
    return fail(Errc::not_found, std::format("there is no alert '{}' now", id.substr(0, 100)));
  if (who.empty()) return fail(Errc::invalid_argument, "who acknowledges an alert has a name");
  if (who.size() > kWordsMax || why.size() > kWordsMax)
    return fail(Errc::invalid_argument, std::format("a reason has at most {} bytes", kWordsMax));
  if (until && *until <= now)
    return fail(Errc::invalid_argument, "an acknowledgement ends in the future, or with the alert");
  if (auto allowed = state_->options.vault.allows(); !allowed) return std::unexpected(allowed.error());
  found->second.acknowledged = stored({who, why, now, until}, id, state_->options.vault);
  state_->tell(found->second, NoticeKind::acknowledged, now);
  return found->second;
}

const std::deque<Notice>& Engine::outbox() const noexcept { return state_->outbox; }

void Engine::told(std::uint64_t number) {
  if (std::erase_if(state_->outbox, [&](const Notice& notice) { return notice.number == number; }) > 0)
    state_->changed = true;
}

EngineCounts Engine::counts() const {
  EngineCounts counts = state_->counts;
  for (const auto& [id, instance] : state_->instances) {
    ++(instance.state == alerts::State::firing ? counts.firing : counts.pending);
    if (instance.acknowledged) ++counts.acknowledged;
  }
  return counts;
}

const config::Alerts& Engine::rules() const noexcept { return state_->alerts; }

std::string Engine::state() const {
  Json json{{"format", kStateFormat},
            {"evaluated", state_->evaluated.time_since_epoch().count()},
            {"next_number", state_->next_number},
            {"next_log", next_log},
            {"next_metric", next_metric},
            {"instances", Json::array()},
            {"outbox", Json::array()},
            {"rules", Json::object()}};
  for (const auto& [id, instance] : state_->instances) json["instances"].push_back(json_of(instance));
  for (const Notice& notice : state_->outbox) json["outbox"].push_back(json_of(notice));
  for (const RuleWatch& watch : state_->watches) json["rules"][watch.rule().name] = watch.state();
  return text_of(json) + "\n";
}

Result<> Engine::restore(std::string_view text, TimePoint now) {
  State taken(state_->alerts, state_->options, now);
  std::uint64_t log_at = 0, metric_at = 0;
  try {
    const Json json = Json::parse(text);
    if (json.at("format") != kStateFormat)
      return fail(Errc::corrupt, "the state of alerts was written by another version of the product");
    const TimePoint evaluated{Duration(json.at("evaluated").get<std::int64_t>())};
    const Duration pause = std::max(Duration::zero(), now - evaluated);
    taken.next_number = json.at("next_number");
    log_at = json.at("next_log"), metric_at = json.at("next_metric");
    for (const Json& one : json.at("outbox")) taken.outbox.push_back(notice_of(one));
    for (const Json& one : json.at("instances")) {
      Instance instance = instance_of(one);
      // Nobody knows whether it held through a long pause.
      if (instance.state == alerts::State::firing || pause <= state_->options.lookback)
        taken.instances.insert_or_assign(instance.id, std::move(instance));
    }
    for (RuleWatch& watch : taken.watches)
      if (const auto found = json.at("rules").find(watch.rule().name); found != json["rules"].end())
        watch.restore(*found, now, pause, state_->options.lookback);
  } catch (const Json::exception& exception) {
    return fail(Errc::corrupt, std::format("the state of alerts cannot be read: {}", exception.what()));
  }
  taken.certain = now + state_->options.lookback;
  taken.resolve_orphans(now);
  *state_ = std::move(taken);
  next_log = log_at, next_metric = metric_at;
  return {};
}

}  // namespace rltune::alerts
