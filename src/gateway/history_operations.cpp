#include "history_operations.hpp"

#include <algorithm>
#include <cmath>

#include "asking.hpp"
#include "page.hpp"
#include "rltune/v1/control.pb.h"
#include "rltune/v1/history.pb.h"

namespace rltune::gateway {
namespace {

constexpr const char* kRecords = "io.records";

TimePoint at(std::int64_t unix_ns) { return TimePoint(Duration(unix_ns)); }

api::SampleInfo sample_info(const v1::Sample& sample) {
  api::SampleInfo info{.time = at(sample.source_unix_ns()), .element = sample.element()};
  if (std::isfinite(sample.value())) info.value = sample.value();
  info.quality = api::kQualities[std::min<std::size_t>(sample.quality(), api::kQualities.size() - 1)];
  return info;
}

Answer tag_list(const v1::TagsAnswer& tags, const v1::SampleBatch& latest) {
  api::TagList list;
  for (const v1::TagFacts& facts : tags.tags()) {
    api::TagInfo& tag = list.tags.emplace_back();
    tag.name = facts.name();
    tag.role = facts.role();
    tag.unit = facts.unit();
    tag.elements = facts.elements();
    tag.writable = facts.writable();
    if (facts.has_low()) tag.low = facts.low();
    if (facts.has_high()) tag.high = facts.high();
  }
  for (const v1::Sample& sample : latest.samples())
    if (sample.tag() < list.tags.size() && sample.source_unix_ns() != 0)
      list.tags[sample.tag()].latest.push_back(sample_info(sample));
  return answer(list);
}

// Their names and limits from where they are kept, their values from the loop.
void list_tags(const Reading& reading, const CallPointer& call, const Done& done) {
  send(reading.caller, call, to("records.Tags", kRecords), v1::TagsRequest(),
       [reading, call, done](const Result<std::string>& answered) {
         if (!answered) return done(refusal_of(answered.error()));
         v1::TagsAnswer tags;
         if (!tags.ParseFromString(*answered)) return done(refuse(502, "the site's answer is not one"));
         ask_for_much<v1::IoStatusAnswer>(
             reading.caller, reading.workers, call, to("io.Status", "io"), v1::IoStatusRequest(),
             [tags](const v1::IoStatusAnswer& status) { return tag_list(tags, status.latest()); }, done);
       });
}

template <typename Reply>
std::optional<std::string> next_of(const Reply& reply, const Page& page) {
  if (!reply.has_next_unix_ns()) return std::nullopt;
  return cursor_of({.from = at(reply.next_unix_ns()), .to = page.to, .limit = page.limit, .after = {}});
}

template <typename Request>
Request request_of(const CallPointer& call, const Page& page) {
  Request request;
  request.set_tag(call->parts[0]);
  request.set_from_unix_ns(page.from.time_since_epoch().count());
  request.set_to_unix_ns(page.to.time_since_epoch().count());
  request.set_limit(page.limit);
  return request;
}

void list_samples(const Reading& reading, const CallPointer& call, const Page& page, const Done& done) {
  const auto told = [page, tag = call->parts[0]](const v1::SamplesAnswer& reply) {
    api::SampleList list{.tag = tag, .samples = {}, .next = next_of(reply, page)};
    for (const v1::Sample& sample : reply.samples()) list.samples.push_back(sample_info(sample));
    return answer(list);
  };
  ask_for_much<v1::SamplesAnswer>(reading.caller, reading.workers, call, to("records.Samples", kRecords),
                                  request_of<v1::SamplesRequest>(call, page), told, done);
}

api::RollupInfo rollup_info(const v1::RollupRow& row) {
  api::RollupInfo info{.start = at(row.start_unix_ns()), .count = row.count(), .bad = row.bad()};
  if (row.count() == 0) return info;
  info.minimum = row.minimum();
  info.maximum = row.maximum();
  info.mean = row.mean();
  info.last = row.last();
  return info;
}

void list_rollups(const Reading& reading, const CallPointer& call, const std::string& resolution, const Page& page,
                  const Done& done) {
  const auto told = [page, resolution, tag = call->parts[0]](const v1::RollupsAnswer& reply) {
    api::RollupList list{.tag = tag, .resolution = resolution, .rollups = {}, .next = next_of(reply, page)};
    for (const v1::RollupRow& row : reply.rollups()) list.rollups.push_back(rollup_info(row));
    return answer(list);
  };
  auto request = request_of<v1::RollupsRequest>(call, page);
  request.set_resolution(resolution);
  ask_for_much<v1::RollupsAnswer>(reading.caller, reading.workers, call, to("records.Rollups", kRecords), request, told,
                                  done);
}

}  // namespace

Handlers history_handlers(const Reading& reading) {
  Handlers handlers;
  handlers.emplace("listTags",
                   [reading](const CallPointer& call, const Done& done) { list_tags(reading, call, done); });
  handlers.emplace("listSamples",
                   paging<api::SamplesQuery>(reading.clock,
                                             [reading](const CallPointer& call, const auto&, const Page& page,
                                                       const Done& done) { list_samples(reading, call, page, done); }));
  handlers.emplace("listRollups", paging<api::RollupsQuery>(
                                      reading.clock, [reading](const CallPointer& call, const api::RollupsQuery& query,
                                                               const Page& page, const Done& done) {
                                        list_rollups(reading, call, query.resolution, page, done);
                                      }));
  return handlers;
}

}  // namespace rltune::gateway
