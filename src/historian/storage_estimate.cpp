#include "storage_estimate.hpp"

namespace rltune::historian {
namespace {

constexpr double kRollupBytes = 64.0;  // of one row, its share of the pages included
constexpr double kCenturyDays = 36'500.0;
constexpr std::int64_t kDay = 86'400'000'000'000;

double to_days(Duration duration) { return to_seconds(duration) / 86'400.0; }

}  // namespace

double raw_bytes_per_day(std::span<const SegmentInfo> segments, double bytes_per_sample) {
  std::int64_t first = std::numeric_limits<std::int64_t>::max(), last = std::numeric_limits<std::int64_t>::min();
  for (const SegmentInfo& segment : segments) {
    if (segment.samples == 0) continue;
    first = std::min(first, segment.first_received);
    last = std::max(last, segment.last_received);
  }
  if (last <= first) return 0.0;
  const std::int64_t begin = std::max(first, last - kDay);
  double samples = 0.0;
  for (const SegmentInfo& segment : segments) {
    if (segment.samples == 0 || segment.last_received < begin) continue;
    const double length = static_cast<double>(segment.last_received - segment.first_received);
    const double inside = static_cast<double>(segment.last_received - std::max(begin, segment.first_received));
    samples += static_cast<double>(segment.samples) * (length > 0.0 ? inside / length : 1.0);
  }
  return samples * bytes_per_sample * static_cast<double>(kDay) / static_cast<double>(last - begin);
}

double bytes_per_day(const StorageFigures& figures) {
  const double rollups = figures.raw_bytes_per_day > 0.0 ? figures.tags * (1440.0 + 288.0 + 24.0) * kRollupBytes : 0.0;
  return figures.raw_bytes_per_day + rollups;
}

double bytes_after(double days, const StorageFigures& figures, const Retention& retention) {
  if (figures.raw_bytes_per_day <= 0.0) return figures.raw_bytes + figures.rollup_bytes;
  // Each tier grows at its rate until what it gains is what retention takes.
  const auto tier = [days](double now, double rate, double kept_days) {
    return std::max(now, std::min(now + rate * days, rate * kept_days));
  };
  const double raw =
      tier(figures.raw_bytes, figures.raw_bytes_per_day, to_days(retention.raw) * 9.0 / 8.0);  // whole files go
  const double row = figures.tags * kRollupBytes;
  const double minutes = std::min(1440.0 * row * days, 1440.0 * row * to_days(retention.minute));
  const double five_minutes = std::min(288.0 * row * days, 288.0 * row * to_days(retention.five_minutes));
  const double settled = row * (1440.0 * to_days(retention.minute) + 288.0 * to_days(retention.five_minutes));
  const double finer = std::max(figures.rollup_bytes, std::min(figures.rollup_bytes + minutes + five_minutes, settled));
  const double all = raw + finer + 24.0 * row * days;
  if (retention.bytes_max == 0) return all;
  return std::min(all, std::max(static_cast<double>(retention.bytes_max), figures.raw_bytes + figures.rollup_bytes));
}

double days_until_full(const StorageFigures& figures, const Retention& retention, double bytes_free) {
  const double limit = figures.raw_bytes + figures.rollup_bytes + bytes_free;
  if (bytes_after(kCenturyDays, figures, retention) <= limit) return std::numeric_limits<double>::infinity();
  double low = 0.0, high = kCenturyDays;  // bytes_after() never falls
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (bytes_after(middle, figures, retention) <= limit ? low : high) = middle;
  }
  return high;
}

}  // namespace rltune::historian
