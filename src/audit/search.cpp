#include "rltune/audit/search.hpp"

#include <algorithm>
#include <charconv>
#include <compare>
#include <format>
#include <map>
#include <tuple>

#include "log_file.hpp"
#include "rltune/base/file.hpp"
#include "words.hpp"

namespace rltune::audit {
namespace {

constexpr std::size_t kPageBytesMax = std::size_t{4} << 20U, kLookedAtMax = 100'000;
constexpr std::size_t kFixedBytes = 400;  // names, times and hash of a line, about
constexpr char kBetween = '/';            // stands in no role's name

// Where a line stands among all of its day. Without a role: behind the last one of that day.
struct Place {
  std::string day;
  std::int64_t unix_ns = 0;
  std::string role;
  std::uint64_t sequence = 0;

  friend auto operator<=>(const Place&, const Place&) = default;
};

std::string text_of(const Place& place) {
  if (place.role.empty()) return place.day;
  return std::format("{}{}{}{}{}{}{}", place.day, kBetween, place.unix_ns, kBetween, place.role, kBetween,
                     place.sequence);
}

template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && stopped == text.data() + text.size();
}

Result<Place> place_of(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(kBetween, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  Place place{.day = std::string(parts[0])};
  if (parts.size() == 1) return place;
  if (parts.size() != 4 || !read_number(parts[1], place.unix_ns) || !read_number(parts[3], place.sequence))
    return fail(Errc::invalid_argument, "this is no place in an audit log");
  place.role = parts[2];
  return place;
}

std::string day_of(TimePoint time) { return format_rfc3339(std::chrono::floor<std::chrono::days>(time)).substr(0, 10); }

struct RoleFile {
  std::string role;
  LogFile log;
};

class Search {
 public:
  Search(const std::filesystem::path& folder, const LineQuery& query)
      : query_(query), vault_(vault::Vault::beside(folder)) {}

  Result<LinePage> run(const std::map<std::string, std::vector<RoleFile>>& days, const Place& after) {
    for (const auto& [day, files] : days) {
      const bool goes_on = day == after.day;
      if (day < after.day || (goes_on && after.role.empty())) continue;
      auto found = read_day(files);
      if (!found) return std::unexpected(found.error());
      for (FoundLine& one : *found) {
        const Place place = place_in(day, one);
        if (goes_on && place <= after) continue;
        if (page_.lines.size() >= query_.limit || bytes_ >= kPageBytesMax) {
          page_.next = text_of(last_);
          return std::move(page_);
        }
        last_ = place;
        bytes_ += one.line.entry.reason.size() + kFixedBytes;
        for (const auto& [name, value] : one.line.entry.details) bytes_ += name.size() + value.size();
        page_.lines.push_back(std::move(one));
      }
      last_ = {.day = day, .unix_ns = 0, .role = {}, .sequence = 0};
      if (looked_at_ >= kLookedAtMax && day != days.rbegin()->first) {
        page_.next = text_of(last_);
        break;
      }
    }
    return std::move(page_);
  }

 private:
  static Place place_in(const std::string& day, const FoundLine& one) {
    return {day, one.line.entry.time.time_since_epoch().count(), one.role, one.line.sequence};
  }
  bool takes(const Entry& entry) const {
    return entry.time >= query_.from && entry.time < query_.to && fits(query_.actor, entry.actor) &&
           fits(query_.action, entry.action);
  }
  Result<std::vector<FoundLine>> read_day(const std::vector<RoleFile>& files) {
    std::vector<FoundLine> found;
    for (const auto& [role, log] : files) {
      const auto text = read_file(log.path);
      if (!text && !std::filesystem::exists(log.path)) continue;  // retention took it
      if (!text) return std::unexpected(text.error());
      std::string_view rest;
      for (const std::string_view bytes : split_lines(*text, rest)) {
        ++looked_at_;
        auto line = decode(bytes);
        if (!line) continue;
        line->entry = shown(std::move(line->entry), role, line->sequence, vault_);
        if (takes(line->entry)) found.push_back({role, std::move(*line)});
      }
    }
    std::ranges::sort(
        found, {}, [](const FoundLine& one) { return std::tuple(one.line.entry.time, one.role, one.line.sequence); });
    return found;
  }

  const LineQuery& query_;
  const vault::Vault vault_;
  LinePage page_;
  Place last_;
  std::size_t bytes_ = 0, looked_at_ = 0;
};

// A line may be written a moment after midnight.
Result<std::map<std::string, std::vector<RoleFile>>> days_of(const std::filesystem::path& folder,
                                                             const LineQuery& query) {
  const auto roles = list_roles(folder);
  if (!roles) return std::unexpected(roles.error());
  const std::string first = day_of(query.from), last = day_of(query.to + std::chrono::days(1));
  std::map<std::string, std::vector<RoleFile>> days;
  for (const std::string& role : *roles) {
    auto logs = list_log_files(folder / role);
    if (!logs) return std::unexpected(logs.error());
    for (LogFile& log : *logs)
      if (log.day >= first && log.day <= last) days[log.day].push_back({role, std::move(log)});
  }
  return days;
}

}  // namespace

bool fits(std::string_view wanted, std::string_view text) {
  return wanted.empty() || text == wanted || (text.starts_with(wanted) && text[wanted.size()] == '.');
}

Result<LinePage> find_lines(const std::filesystem::path& audit_folder, const LineQuery& query) {
  Place after;
  if (!query.after.empty()) {
    auto place = place_of(query.after);
    if (!place) return std::unexpected(place.error());
    after = std::move(*place);
  }
  const auto days = days_of(audit_folder, query);
  if (!days) return std::unexpected(days.error());
  return Search(audit_folder, query).run(*days, after);
}

}  // namespace rltune::audit
