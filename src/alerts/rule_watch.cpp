#include "rule_watch.hpp"

#include <algorithm>
#include <format>

namespace rltune::alerts {
namespace {

double in_seconds(TimePoint time) { return to_seconds(time.time_since_epoch()); }

std::int64_t in_ns(TimePoint time) { return time.time_since_epoch().count(); }
TimePoint from_ns(const Json& json) { return TimePoint(Duration(json.get<std::int64_t>())); }

// For people: "3", "0.25", "1.2e+09".
std::string shown(double value) { return std::format("{:.6g}", value); }

Json json_of_growth(const Growth& growth) {
  Json parts = Json::array();
  for (const auto& [at, amount] : growth.parts()) parts.push_back({in_ns(at), amount});
  Json json{{"parts", std::move(parts)}};
  if (growth.previous()) json["previous"] = *growth.previous();
  return json;
}

void restore_growth(const Json& json, Growth& growth) {
  std::deque<Growth::Part> parts;
  for (const Json& part : json.at("parts")) parts.emplace_back(from_ns(part.at(0)), part.at(1).get<double>());
  growth.restore(json.contains("previous") ? std::optional(json["previous"].get<double>()) : std::nullopt,
                 std::move(parts));
}

template <typename Map>
Json json_of_series(const Map& map) {
  Json all = Json::array();
  for (const auto& [key, series] : map)
    all.push_back({{"labels", series.labels},
                   {"last", json_of(series.last)},
                   {"first", in_ns(series.first)},
                   {"seen", in_ns(series.seen)},
                   {"growth", json_of_growth(series.growth)}});
  return all;
}

template <typename Map>
void restore_series(const Json& all, Map& map) {
  for (const Json& json : all) {
    Series series{.labels = json.at("labels"),
                  .last = double_of(json.at("last")),
                  .first = from_ns(json.at("first")),
                  .seen = from_ns(json.at("seen")),
                  .growth = {}};
    restore_growth(json.at("growth"), series.growth);
    map.emplace(key_of(series.labels), std::move(series));
  }
}

}  // namespace

std::string key_of(const SeriesLabels& labels) {
  std::string key;
  for (const auto& [name, value] : labels) key += std::format("{}={}:{}\n", name, value.size(), value);
  return key;
}

RuleWatch::RuleWatch(config::Alert rule, TimePoint now)
    : rule_(std::move(rule)), window_(from_seconds(rule_.window_s)), begun_(now), seen_(now) {
  if (rule_.log) level_ = log::parse_level(rule_.log->level).value_or(log::Level::error);
}

bool RuleWatch::counts() const noexcept { return rule_.of == "rate" || rule_.of == "increase" || rule_.of == "ratio"; }

bool RuleWatch::looks_at(const telemetry::MetricSample& sample) const {
  if (!rule_.per.empty() && sample.name == rule_.per) return true;
  return !rule_.log && sample.name == rule_.metric && std::ranges::all_of(rule_.labels, [&](const auto& label) {
    const auto found = sample.labels.find(label.first);
    return found != sample.labels.end() && found->second == label.second;
  });
}

// A part and its whole are of the same labels but those that choose the part.
SeriesLabels RuleWatch::labels_of(const telemetry::MetricSample& sample, bool part) const {
  SeriesLabels labels = sample.labels;
  if (part && rule_.of == "ratio")
    for (const auto& [name, value] : rule_.labels) labels.erase(name);
  return labels;
}

bool RuleWatch::take(const telemetry::MetricSample& sample, TimePoint at, bool has_room) {
  const bool whole = sample.name == rule_.per;
  const bool part = sample.name == rule_.metric;
  if (part) seen_ = std::max(seen_, at);
  if (rule_.when == "absent") return true;
  SeriesMap& map = whole && !part ? parts_of_ : series_;
  SeriesLabels labels = labels_of(sample, part);
  const auto [entry, is_new] = [&] {
    std::string key = key_of(labels);
    const auto found = map.find(key);
    if (found != map.end() || !has_room) return std::pair{found, false};
    return map.emplace(std::move(key), Series{std::move(labels), 0.0, at, at, {}});
  }();
  if (entry == map.end()) return false;
  entry->second.last = sample.value;
  entry->second.seen = at;
  if (counts()) entry->second.growth.follow(sample.value, at, window_);
  return true;
}

void RuleWatch::take(const LogFacts& entry, TimePoint at) {
  if (!rule_.log || entry.level < level_) return;
  if (!rule_.log->service.empty() && entry.service != rule_.log->service) return;
  if (!entry.message.contains(rule_.log->contains)) return;
  seen_ = std::max(seen_, at);
  if (rule_.when != "absent") entries_.add(1.0, at, window_);
}

std::optional<double> RuleWatch::ratio_of(const std::string& key, Series& series, TimePoint now) {
  const auto whole = parts_of_.find(key);
  const double sum = whole == parts_of_.end() ? 0.0 : whole->second.growth.within(window_, now);
  if (sum <= 0.0) return std::nullopt;
  return series.growth.within(window_, now) / sum;
}

std::optional<double> RuleWatch::figure_of(const std::string& key, Series& series, TimePoint now, Duration lookback) {
  if (now - series.seen > lookback) return std::nullopt;
  if (rule_.of == "value") return series.last;
  if (rule_.of == "age") return in_seconds(now) - series.last;
  // That little grew is said once it was watched for long enough.
  if (rule_.when == "below" && now - std::max(begun_, series.first) < window_) return std::nullopt;
  if (rule_.of == "ratio") return ratio_of(key, series, now);
  const double grown = series.growth.within(window_, now);
  return rule_.of == "rate" ? grown / rule_.window_s : grown;
}

void RuleWatch::forget(SeriesMap& series, TimePoint now, Duration lookback) const {
  const Duration kept = std::max(lookback, counts() ? window_ : Duration::zero());
  std::erase_if(series, [&](const auto& entry) { return now - entry.second.seen > kept; });
}

std::vector<Figure> RuleWatch::figures(TimePoint now, Duration lookback) {
  forget(series_, now, lookback);
  forget(parts_of_, now, lookback);
  if (rule_.when == "absent") return {{"", rule_.labels, to_seconds(now - seen_)}};
  if (rule_.log) {
    const bool too_early = rule_.when == "below" && now - begun_ < window_;
    return {{"", {}, too_early ? std::nullopt : std::optional(entries_.within(window_, now))}};
  }
  std::vector<Figure> figures;
  for (auto& [key, series] : series_) figures.push_back({key, series.labels, figure_of(key, series, now, lookback)});
  return figures;
}

bool RuleWatch::is_over(double value) const {
  // A series is not absent between two of its samples.
  if (rule_.when == "absent") return value >= std::max(rule_.for_s, 30.0);
  return rule_.when == "above" ? value > rule_.limit : value < rule_.limit;
}

bool RuleWatch::is_clear(double value) const {
  if (rule_.when == "absent") return !is_over(value);
  if (std::isnan(value)) return true;
  return rule_.when == "above" ? value <= rule_.limit - rule_.hysteresis : value >= rule_.limit + rule_.hysteresis;
}

std::string RuleWatch::said(double value) const {
  const std::string comparison = std::format("{} {}", rule_.when, shown(rule_.limit));
  if (rule_.log) {
    const std::string what = std::format(
        "log entries{} of level {} or worse{}", rule_.log->service.empty() ? "" : " of " + rule_.log->service,
        rule_.log->level, rule_.log->contains.empty() ? "" : " with '" + rule_.log->contains + "'");
    if (rule_.when == "absent") return std::format("no {} for {} s", what, shown(value));
    return std::format("{} {} in {} s, {}", shown(value), what, shown(rule_.window_s), comparison);
  }
  if (rule_.when == "absent") return std::format("{} was not reported for {} s", rule_.metric, shown(value));
  if (rule_.of == "value") return std::format("{} is {}, {}", rule_.metric, shown(value), comparison);
  if (rule_.of == "age") return std::format("{} is {} s ago, {} s", rule_.metric, shown(value), comparison);
  const std::string of = rule_.of == "ratio" ? " to " + rule_.per : "";
  return std::format("{} of {}{} is {} within {} s, {}", rule_.of, rule_.metric, of, shown(value),
                     shown(rule_.window_s), comparison);
}

std::string RuleWatch::summary(double value, const SeriesLabels& labels) const {
  constexpr std::size_t kLabelWordsMax = 100;
  std::string which;
  for (const auto& [name, word] : labels)  // the site and the address are told beside it
    if (name != "job" && name != "instance" && name != "site" &&
        which.size() + name.size() + word.size() < kLabelWordsMax)
      which += std::format("{}{} {}", which.empty() ? "" : ", ", name, word);
  return said(value) + (which.empty() ? "" : " (" + which + ")");
}

Json RuleWatch::state() const {
  Json json{{"begun", in_ns(begun_)}, {"seen", in_ns(seen_)}};
  if (rule_.log) json["entries"] = json_of_growth(entries_);
  if (counts()) json["series"] = json_of_series(series_), json["per"] = json_of_series(parts_of_);
  return json;
}

void RuleWatch::restore(const Json& json, TimePoint now, Duration pause, Duration lookback) {
  if (pause <= lookback) begun_ = from_ns(json.at("begun"));
  // While nobody watched, nothing was absent.
  seen_ = std::min(now, from_ns(json.at("seen")) + pause);
  if (rule_.log && json.contains("entries")) restore_growth(json["entries"], entries_);
  if (!counts()) return;
  if (json.contains("series")) restore_series(json["series"], series_);
  if (json.contains("per")) restore_series(json["per"], parts_of_);
}

}  // namespace rltune::alerts
