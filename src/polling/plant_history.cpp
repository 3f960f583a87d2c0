#include "rltune/polling/plant_history.hpp"

#include <algorithm>
#include <format>
#include <nlohmann/json.hpp>
#include <optional>

#include "rltune/base/file.hpp"
#include "rltune/historian/historian.hpp"

namespace rltune::polling {
namespace {

using historian::Historian;
using historian::Resolution;
using historian::Rollup;
using telemetry::MetricSample;

constexpr Duration kMinute = std::chrono::minutes(1);
constexpr std::size_t kMinutesMax = 240;
constexpr const char* kFamily = "rltune_plant_value";

std::int64_t to_ms(TimePoint time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

// Minutes of every tag in [from, to), and what is known of those behind them.
struct Window {
  std::map<std::string, std::vector<Rollup>> rollups;
  bool empty = true;
  std::optional<TimePoint> behind;  // the first that is
  std::optional<TimePoint> newest;  // of all, or one that is settled minutes behind the window
};

Result<Window> read_window(const Historian& history, TimePoint from, TimePoint to, Duration settled) {
  Window window;
  const auto see = [&](TimePoint start) { window.newest = std::max(window.newest.value_or(start), start); };
  for (const std::string& tag : history.tags()) {
    auto rollups = history.rollups(tag, Resolution::minute, from, to, kMinutesMax);
    if (!rollups) return std::unexpected(rollups.error());
    const auto later = history.rollups(tag, Resolution::minute, to, TimePoint::max(), settled / kMinute + 1);
    if (!later) return std::unexpected(later.error());
    if (!rollups->empty()) window.empty = false, see(rollups->back().start);
    if (!later->empty()) see(later->back().start);
    if (!later->empty()) window.behind = std::min(window.behind.value_or(TimePoint::max()), later->front().start);
    window.rollups.emplace(tag, std::move(*rollups));
  }
  return window;
}

std::string key_of(const std::string& tag, const std::string& statistic) { return statistic + "/" + tag; }

// Where the newest minute of all begins; nothing where there is none.
Result<std::optional<TimePoint>> newest_minute(const Historian& history) {
  std::optional<TimePoint> newest;
  for (const std::string& tag : history.tags())
    for (TimePoint at = newest.value_or(TimePoint::min());;) {
      const auto page = history.rollups(tag, Resolution::minute, at, TimePoint::max(), 10'000);
      if (!page) return std::unexpected(page.error());
      if (page->empty()) break;
      newest = std::max(newest.value_or(TimePoint::min()), page->back().start);
      at = page->back().start + kMinute;
    }
  return newest;
}

}  // namespace

Result<PlantHistory> PlantHistory::open(PlantHistoryOptions options, telemetry::RecordSource& stored) {
  PlantHistory history(std::move(options));
  if (auto loaded = history.load(); !loaded) return std::unexpected(loaded.error());
  if (auto found = history.find_told(stored); !found) return std::unexpected(found.error());
  return history;
}

Result<> PlantHistory::load() {
  const auto text = read_file(options_.position);
  if (!text && text.error().code == Errc::not_found) return {};
  if (!text) return std::unexpected(text.error());
  const auto document = nlohmann::json::parse(*text, nullptr, false);
  const bool ours = document.is_object() && document.contains("next") && document["next"].is_string() &&
                    document.contains("sequence") && document["sequence"].is_number_unsigned();
  const auto next = ours ? parse_rfc3339(document["next"].get<std::string>()) : fail(Errc::parse, "");
  if (!next)
    return fail(Errc::corrupt,
                std::format("{} does not say where the plant's history was left off; without it, it goes "
                            "on with the last hour",
                            options_.position.string()));
  next_ = after_ = *next;
  sequence_ = document["sequence"].get<std::uint64_t>();
  begun_ = true;
  return {};
}

Result<> PlantHistory::find_told(telemetry::RecordSource& stored) {
  if (!begun_) return {};
  constexpr std::size_t kBytesAtOnce = std::size_t{1} << 20U;
  for (std::uint64_t from = std::max(sequence_ + 1, stored.floor()); from <= stored.acknowledged();) {
    const auto batch = stored.read(from, kBytesAtOnce);
    if (!batch) return std::unexpected(batch.error());
    for (const telemetry::StoredRecord& record : batch->records) {
      auto sample = telemetry::parse_metric(record.payload);
      if (sample && sample->name == kFamily && sample->unix_ms >= to_ms(next_))
        told_.emplace(sample->unix_ms, key_of(sample->labels["tag"], sample->labels["statistic"]));
    }
    if (batch->next <= from) break;
    from = batch->next;
  }
  return {};
}

Result<> PlantHistory::save() const {
  return write_file(options_.position,
                    std::format("{{\"next\": \"{}\", \"sequence\": {}}}\n", format_rfc3339(next_), sequence_));
}

Result<std::vector<MetricSample>> PlantHistory::next() {
  const auto history = Historian::open_reader(options_.historian);
  if (!history) return std::unexpected(history.error());
  if (!begun_) {
    const auto newest = newest_minute(*history);
    if (!newest) return std::unexpected(newest.error());
    if (!*newest) return std::vector<MetricSample>();
    next_ = **newest - options_.first;
    begun_ = true;
  }
  while (true) {
    auto samples = read(*history);
    // A time without samples is passed over at once.
    if (!samples || !samples->empty() || after_ == next_) return samples;
    next_ = after_;
  }
}

Result<std::vector<MetricSample>> PlantHistory::read(const Historian& history) {
  after_ = next_;
  const std::size_t tags = std::max<std::size_t>(1, history.tags().size());
  const std::size_t minutes = std::clamp<std::size_t>(options_.samples_max / (3 * tags), 1, kMinutesMax);
  const TimePoint to = next_ + static_cast<std::int64_t>(minutes) * kMinute;
  const auto window = read_window(history, next_, to, options_.settled);
  if (!window) return std::unexpected(window.error());
  std::vector<MetricSample> samples;
  if (!window->newest) return samples;
  const TimePoint settled = *window->newest - options_.settled + kMinute;
  after_ = std::max(next_, std::min(settled, window->empty ? window->behind.value_or(to) : to));
  for (const auto& [tag, rollups] : window->rollups)
    for (const Rollup& rollup : rollups)
      if (rollup.start < after_ && rollup.count > 0) tell(tag, rollup, samples);
  std::ranges::stable_sort(samples, {}, &MetricSample::unix_ms);
  return samples;
}

void PlantHistory::tell(const std::string& tag, const Rollup& rollup, std::vector<MetricSample>& into) const {
  const auto unit = options_.units.find(tag);
  for (const auto& [statistic, value] :
       {std::pair{"mean", rollup.mean}, {"min", rollup.minimum}, {"max", rollup.maximum}}) {
    if (told_.contains({to_ms(rollup.start), key_of(tag, statistic)})) continue;
    MetricSample& sample = into.emplace_back(kFamily, options_.labels, to_ms(rollup.start), value);
    sample.labels["tag"] = tag;
    sample.labels["statistic"] = statistic;
    if (unit != options_.units.end() && !unit->second.empty()) sample.labels["unit"] = unit->second;
  }
}

Result<> PlantHistory::done(std::uint64_t acknowledged) {
  constexpr std::uint64_t kScanMax = 100'000;  // records that opening reads through at the most
  if (!begun_ || (after_ == next_ && acknowledged < sequence_ + kScanMax)) return {};
  next_ = after_;
  std::erase_if(told_, [&](const Key& key) { return key.first < to_ms(next_); });
  if (told_.empty()) sequence_ = acknowledged;  // otherwise the next opening has to find them again
  return save();
}

}  // namespace rltune::polling
