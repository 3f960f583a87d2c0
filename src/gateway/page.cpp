#include "page.hpp"

#include <charconv>
#include <format>

namespace rltune::gateway {
namespace {

using namespace std::chrono_literals;

constexpr char kBetween = '_';

std::unexpected<api::Faults> wrong(std::string parameter, std::string detail) {
  return std::unexpected(api::Faults{{.pointer = "", .detail = std::move(detail), .parameter = std::move(parameter)}});
}

// Takes a number and what stands behind it off the text.
bool take_time(std::string_view& text, TimePoint& time) {
  std::int64_t unix_ns = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), unix_ns);
  if (error != std::errc()) return false;
  time = TimePoint(Duration(unix_ns));
  text.remove_prefix(static_cast<std::size_t>(stopped - text.data()));
  if (text.empty() || text.front() != kBetween) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::expected<Page, api::Faults> page_of(const api::PageQuery& query, TimePoint now) {
  Page page{.limit = static_cast<std::uint32_t>(query.limit.value_or(api::kPageDefault))};
  if (query.cursor) {
    std::string_view text = *query.cursor;
    if (!take_time(text, page.from) || !take_time(text, page.to) || page.from > page.to)
      return wrong("cursor", "has to be what `next` of the page before said");
    page.after = text;
    return page;
  }
  page.to = query.to.value_or(now);
  page.from = query.from.value_or(page.to - 1h);
  if (page.from > page.to) return wrong("from", "is after `to`");
  return page;
}

std::string cursor_of(const Page& page) {
  return std::format("{}{}{}{}{}", page.from.time_since_epoch().count(), kBetween, page.to.time_since_epoch().count(),
                     kBetween, page.after);
}

}  // namespace rltune::gateway
