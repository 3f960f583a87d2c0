#include "entry_text.hpp"

#include <yyjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

#include "rltune/base/check.hpp"
#include "rltune/base/time.hpp"
#include "rltune/telemetry/log_entry.hpp"

namespace rltune::telemetry {
namespace {

constexpr auto kIsOfName = [] {
  std::array<bool, 256> is{};
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/:"))
    is[static_cast<unsigned char>(c)] = true;
  return is;
}();
void append_integer(std::string& to, auto number) {
  std::array<char, 20> digits{};
  to.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

const std::array<std::string_view, log::kLevels.size()> kLevelNames = [] {
  std::array<std::string_view, log::kLevels.size()> names;
  std::ranges::transform(log::kLevels, names.begin(), log::name_of);
  return names;
}();

// Of "2025-08-25T10:00:00Z", with or without a fraction of at most nine digits: what nearly every sender writes,
// several times as fast as whatever RFC 3339 allows.
std::optional<std::int64_t> usual_time(std::string_view text) noexcept {
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  if (text.size() <= kForm.size() || text.size() > kForm.size() + 11 || text.back() != 'Z') return std::nullopt;
  for (std::size_t i = 0; i < kForm.size(); ++i)
    if (kForm[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != kForm[i]) return std::nullopt;
  const auto two = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  const std::chrono::year_month_day date{std::chrono::year(two(0) * 100 + two(2)),
                                         std::chrono::month(static_cast<unsigned>(two(5))),
                                         std::chrono::day(static_cast<unsigned>(two(8)))};
  if (!date.ok() || date.year() < std::chrono::year(1900) || date.year() > std::chrono::year(2200) || two(11) > 23 ||
      two(14) > 59 || two(17) > 59)
    return std::nullopt;
  std::int64_t nanoseconds = 0;
  if (text.size() > kForm.size() + 1) {
    if (text[kForm.size()] != '.' || text.size() == kForm.size() + 2) return std::nullopt;
    std::int64_t scale = 100'000'000;
    for (std::size_t at = kForm.size() + 1; at + 1 < text.size(); ++at, scale /= 10) {
      if (text[at] < '0' || text[at] > '9') return std::nullopt;
      nanoseconds += (text[at] - '0') * scale;
    }
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return (days * 86'400 + two(11) * 3600 + two(14) * 60 + two(17)) * 1'000'000'000 + nanoseconds;
}

// Takes what stands before `text` in what is left of a payload.
class Rest {
 public:
  explicit Rest(std::string_view text) : text_(text) {}
  bool take(std::string_view wanted) noexcept {
    if (!text_.starts_with(wanted)) return false;
    text_.remove_prefix(wanted.size());
    return true;
  }
  // What stands before the quote that ends a text, and the quote.
  bool take_text(std::string_view& into) noexcept {
    for (std::size_t at = text_.find('"'); at != std::string_view::npos; at = text_.find('"', at + 1)) {
      std::size_t slashes = 0;
      while (slashes < at && text_[at - 1 - slashes] == '\\') ++slashes;
      if (slashes % 2 == 1) continue;
      into = text_.substr(0, at);
      text_.remove_prefix(at + 1);
      return true;
    }
    return false;
  }
  std::string_view left() const noexcept { return text_; }

 private:
  std::string_view text_;
};

}  // namespace

void append_json_number(std::string& to, double number) {
  if (!std::isfinite(number)) {
    to += std::isnan(number) ? R"("NaN")" : number > 0 ? R"("+Inf")" : R"("-Inf")";
    return;
  }
  yyjson_val value{};
  yyjson_set_real(&value, number);
  std::array<char, 512> memory;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before it is read
  yyjson_alc allocator{};
  yyjson_alc_pool_init(&allocator, memory.data(), memory.size());
  std::size_t length = 0;
  const char* text = yyjson_val_write_opts(&value, 0, &allocator, &length, nullptr);
  RLTUNE_CHECK(text != nullptr);
  to.append(text, length);
}

void append_json_number(std::string& to, std::int64_t number) { append_integer(to, number); }
void append_json_number(std::string& to, std::uint64_t number) { append_integer(to, number); }

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kNameMax &&
         std::ranges::all_of(text, [](unsigned char c) { return kIsOfName[c]; });
}

std::optional<std::int64_t> entry_time(std::string_view timestamp) {
  if (const auto usual = usual_time(timestamp)) return usual;
  if (timestamp.find('T') == std::string_view::npos) return std::nullopt;
  const auto time = parse_rfc3339(timestamp);
  if (!time) return std::nullopt;
  return time->time_since_epoch().count();
}

std::optional<log::Level> entry_level(std::string_view name) noexcept {
  const auto* at = std::ranges::find(kLevelNames, name);
  if (at == kLevelNames.end()) return std::nullopt;
  return log::kLevels.at(static_cast<std::size_t>(at - kLevelNames.begin()));
}

std::optional<EntryText> read_entry(std::string_view payload) noexcept {
  EntryText entry;
  Rest rest(payload);
  if (!rest.take(R"({"timestamp":")") || !rest.take_text(entry.timestamp) || !rest.take(R"(,"service":")") ||
      !rest.take_text(entry.service) || !rest.take(R"(,"level":")") || !rest.take_text(entry.level) ||
      !rest.take(R"(,"message":")") || !rest.take_text(entry.message))
    return std::nullopt;
  if (rest.take(R"(,"correlation_id":")") && !rest.take_text(entry.correlation_id)) return std::nullopt;
  if (rest.take(R"(,"id":")") && !rest.take_text(entry.id)) return std::nullopt;
  if (rest.take(R"(,"attributes":)")) {
    entry.attributes = rest.left();
    if (entry.attributes.size() < 3 || !entry.attributes.starts_with('{')) return std::nullopt;
    entry.attributes.remove_suffix(1);
  } else if (rest.left() != "}") {
    return std::nullopt;
  }
  return entry;
}

}  // namespace rltune::telemetry
