#include "log_matcher.hpp"

#include <algorithm>

namespace rltune::telemetry {
namespace {

constexpr char folded(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

TimeRange range_of(const LogQuery& query) {
  TimeRange range{std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
  if (query.from) range.first_ns = query.from->time_since_epoch().count();
  if (query.to) range.last_ns = query.to->time_since_epoch().count() - 1;
  return range;
}

}  // namespace

FoldedText::FoldedText(std::string_view wanted) : wanted_(wanted) {
  std::ranges::transform(wanted_, wanted_.begin(), folded);
  steps_.fill(wanted_.size());
  for (std::size_t i = 0; i + 1 < wanted_.size(); ++i) {
    const std::size_t step = wanted_.size() - 1 - i;
    steps_[static_cast<unsigned char>(wanted_[i])] = step;
    if (wanted_[i] >= 'a' && wanted_[i] <= 'z') steps_[static_cast<unsigned char>(wanted_[i] - 'a' + 'A')] = step;
  }
}

bool FoldedText::is_in(std::string_view text) const noexcept {
  if (wanted_.empty()) return true;
  const std::size_t size = wanted_.size();
  for (std::size_t at = 0; at + size <= text.size(); at += steps_[static_cast<unsigned char>(text[at + size - 1])])
    if (folded(text[at + size - 1]) == wanted_.back() && std::ranges::equal(text.substr(at, size), wanted_, {}, folded))
      return true;
  return false;
}

LogMatcher::LogMatcher(const LogQuery& query)
    : query_(query),
      timed_(query.from || query.to),
      times_(range_of(query)),
      id_(query.correlation_id),
      levels_(static_cast<std::uint8_t>(0xFFU << static_cast<unsigned>(query.level_min))),
      text_(query.text) {}

bool LogMatcher::may_be_in(const SegmentIndex& index, const IndexBlock& block) const noexcept {
  if (!meets(block.times) || (block.levels & levels_) == 0) return false;
  if (!query_.correlation_id.empty() && !block.may_have(id_)) return false;
  return query_.services.empty() || std::ranges::any_of(query_.services, [&](const std::string& service) {
           return (block.services & index.bits_of(service)) != 0;
         });
}

bool LogMatcher::matches(std::string_view payload) const {
  const auto entry = read_entry(payload);
  if (!entry) return false;
  const auto level = entry_level(entry->level);
  if (!level || *level < query_.level_min) return false;
  if (!query_.services.empty() && std::ranges::find(query_.services, entry->service) == query_.services.end())
    return false;
  if (!query_.correlation_id.empty() && entry->correlation_id != query_.correlation_id) return false;
  if (!query_.text.empty() && !has_text(*entry)) return false;
  const auto time = entry_time(entry->timestamp);
  return time && (!timed_ || (times_.first_ns <= *time && *time <= times_.last_ns));
}

bool LogMatcher::has_text(const EntryText& entry) const {
  return std::ranges::any_of(std::array{entry.message, entry.attributes}, [&](std::string_view text) {
    return text_.is_in(text.find('\\') == std::string_view::npos ? text : unescaped_json_text(text));
  });
}

}  // namespace rltune::telemetry
