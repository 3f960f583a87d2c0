#include "rltune/telemetry/log_query.hpp"

#include <algorithm>
#include <charconv>
#include <format>
#include <limits>

namespace rltune::telemetry {
namespace {

constexpr std::size_t kLimitMax = 10'000;

Result<std::uint64_t> number_of(const std::string& name, const std::string& text, std::uint64_t most) {
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code == std::errc{} && end == text.data() + text.size() && number <= most) return number;
  return fail(Errc::invalid_argument, std::format("{}: '{}' is no whole number from 0 to {}", name, text, most));
}

Result<TimePoint> instant_of(const std::string& name, const std::string& text) {
  auto instant = parse_rfc3339(text);
  if (instant) return *instant;
  return fail(Errc::invalid_argument, std::format("{}: '{}' is no instant like 2025-08-25T10:00:00Z", name, text));
}

std::vector<std::string> words_of(std::string_view list) {
  std::vector<std::string> words;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    if (end > 0) words.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return words;
}

Result<> take_parameter(LogQuery& query, const std::string& name, const std::string& value) {
  if (name == "from" || name == "to") {
    const auto instant = instant_of(name, value);
    if (!instant) return std::unexpected(instant.error());
    (name == "from" ? query.from : query.to) = *instant;
  } else if (name == "service") {
    query.services = words_of(value);
  } else if (name == "level") {
    const auto level = log::parse_level(value);
    if (!level) return std::unexpected(level.error());
    query.level_min = *level;
  } else if (name == "correlation_id") {
    query.correlation_id = value;
  } else if (name == "text") {
    query.text = value;
  } else if (name == "limit") {
    const auto limit = number_of(name, value, kLimitMax);
    if (!limit) return std::unexpected(limit.error());
    query.limit = *limit;
  } else if (name == "next") {
    const auto next = number_of(name, value, std::numeric_limits<std::uint64_t>::max());
    if (!next) return std::unexpected(next.error());
    query.next = *next;
  } else if (name == "order" && (value == "newest" || value == "oldest")) {
    query.newest_first = value == "newest";
  } else {
    return fail(Errc::invalid_argument,
                std::format("'{}={}': there are from, to, service, level, correlation_id, text, limit, next, and order "
                            "(newest, oldest)",
                            name, value));
  }
  return {};
}

}  // namespace

Result<LogQuery> parse_query(const std::map<std::string, std::string>& parameters) {
  LogQuery query;
  for (const auto& [name, value] : parameters)
    if (auto taken = take_parameter(query, name, value); !taken) return std::unexpected(taken.error());
  return query;
}

// The entries are JSON already.
std::string to_json(const LogPage& page) {
  std::string out = R"({"entries":[)";
  for (const auto& entry : page.entries)
    out +=
        std::format(R"({}{{"sequence":{},"received":"{}","entry":{}}})", out.back() == '[' ? "" : ",", entry.sequence,
                    format_rfc3339(TimePoint(std::chrono::nanoseconds(entry.unix_ns))), entry.payload);
  return out + std::format(R"(],"next":{},"complete":{}}})", page.next, page.is_complete);
}

}  // namespace rltune::telemetry
