#include "rltune/reading/history.hpp"

#include <algorithm>
#include <array>
#include <format>

#include "rltune/config/tag_role.hpp"

namespace rltune::reading {
namespace {

using historian::Resolution;

constexpr std::array<std::pair<std::string_view, Resolution>, 3> kResolutions{
    {{"minute", Resolution::minute}, {"five_minutes", Resolution::five_minutes}, {"hour", Resolution::hour}}};

std::size_t bounded(std::uint32_t limit) { return std::clamp<std::size_t>(limit, 1, kPageMax); }

TimePoint time_of(std::int64_t unix_ns) { return TimePoint(Duration(unix_ns)); }
std::int64_t unix_ns(TimePoint time) { return time.time_since_epoch().count(); }

template <typename Request>
Result<> check_range(const Request& request) {
  if (request.from_unix_ns() <= request.to_unix_ns()) return {};
  return fail(Errc::invalid_argument, "`from` is after `to`");
}

v1::Sample message_of(const Sample& sample) {
  v1::Sample told;
  told.set_tag(sample.tag);
  told.set_element(sample.element);
  told.set_value(sample.value);
  told.set_source_unix_ns(unix_ns(sample.source_time));
  told.set_received_unix_ns(unix_ns(sample.received_time));
  told.set_quality(static_cast<std::uint32_t>(sample.quality));
  told.set_status(sample.status);
  return told;
}

}  // namespace

void History::tell(const config::Site& site) {
  auto told = std::make_shared<v1::TagsAnswer>();
  for (const config::Tag& tag : site.tags) {
    v1::TagFacts& facts = *told->add_tags();
    facts.set_name(tag.name);
    facts.set_unit(tag.unit);
    facts.set_role(std::string(config::to_string(tag.role)));
    facts.set_writable(tag.role == config::TagRole::setpoint);
    facts.set_elements(static_cast<std::uint32_t>(tag.elements));
    std::optional<config::Range> range = tag.operating;
    const auto rule = std::ranges::find(site.guard.outputs, tag.name, &config::OutputRule::tag);
    if (rule != site.guard.outputs.end()) range = rule->limits;
    if (!range) continue;
    facts.set_low(range->low);
    facts.set_high(range->high);
  }
  tags_ = std::move(told);
}

void History::add_to(bus::Server& server) {
  server.handle<v1::TagsRequest, v1::TagsAnswer>(
      "records.Tags", [this](const bus::Call&, const v1::TagsRequest&, v1::TagsAnswer& answer) -> Result<> {
        answer = *tags_.load();
        return {};
      });
  server.handle<v1::SamplesRequest, v1::SamplesAnswer>(
      "records.Samples", [this](const bus::Call&, const v1::SamplesRequest& request, v1::SamplesAnswer& answer) {
        return samples(request, answer);
      });
  server.handle<v1::RollupsRequest, v1::RollupsAnswer>(
      "records.Rollups", [this](const bus::Call&, const v1::RollupsRequest& request, v1::RollupsAnswer& answer) {
        return rollups(request, answer);
      });
}

bool History::is_recorded(const std::string& tag) const {
  return reader_ && std::ranges::contains(reader_->tags(), tag);
}

// A reader knows the tags that were recorded when it was opened.
Result<const historian::Historian*> History::reader_of(const std::string& tag) {
  if (!is_recorded(tag)) {
    reader_.reset();
    auto opened = historian::Historian::open_reader(storage_);
    if (!opened) return std::unexpected(opened.error());
    reader_.emplace(std::move(*opened));
  }
  if (is_recorded(tag)) return &*reader_;
  if (std::ranges::contains(tags_.load()->tags(), tag, &v1::TagFacts::name)) return nullptr;
  return fail(Errc::not_found, std::format("the site has no tag '{}'", tag));
}

Result<> History::samples(const v1::SamplesRequest& request, v1::SamplesAnswer& answer) {
  if (auto good = check_range(request); !good) return good;
  const auto reader = reader_of(request.tag());
  if (!reader) return std::unexpected(reader.error());
  if (*reader == nullptr) return {};
  const TimePoint to = time_of(request.to_unix_ns());
  const auto page = (*reader)->samples(request.tag(), time_of(request.from_unix_ns()), to, bounded(request.limit()));
  if (!page) return std::unexpected(page.error());
  for (const Sample& sample : *page) *answer.add_samples() = message_of(sample);
  if (page->empty()) return {};
  const TimePoint after = page->back().source_time + Duration(1);
  const auto more = (*reader)->samples(request.tag(), after, to, 1);
  if (!more) return std::unexpected(more.error());
  if (!more->empty()) answer.set_next_unix_ns(unix_ns(after));
  return {};
}

Result<> History::rollups(const v1::RollupsRequest& request, v1::RollupsAnswer& answer) {
  if (auto good = check_range(request); !good) return good;
  const auto* const known =
      std::ranges::find(kResolutions, request.resolution(), [](const auto& row) { return row.first; });
  if (known == kResolutions.end())
    return fail(Errc::invalid_argument, "the resolution is minute, five_minutes or hour");
  const auto reader = reader_of(request.tag());
  if (!reader) return std::unexpected(reader.error());
  if (*reader == nullptr) return {};
  const std::size_t limit = bounded(request.limit());
  auto page = (*reader)->rollups(request.tag(), known->second, time_of(request.from_unix_ns()),
                                 time_of(request.to_unix_ns()), limit + 1);
  if (!page) return std::unexpected(page.error());
  if (page->size() > limit) {
    answer.set_next_unix_ns(unix_ns(page->back().start));
    page->pop_back();
  }
  for (const historian::Rollup& rollup : *page) {
    v1::RollupRow& row = *answer.add_rollups();
    row.set_start_unix_ns(unix_ns(rollup.start));
    row.set_minimum(rollup.minimum);
    row.set_maximum(rollup.maximum);
    row.set_mean(rollup.mean);
    row.set_last(rollup.last);
    row.set_count(rollup.count);
    row.set_bad(rollup.bad);
  }
  return {};
}

}  // namespace rltune::reading
