// Which page of something long is meant: a stretch of time, at most so many entries, and where the page before ended.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "call.hpp"
#include "rltune/api/history.hpp"
#include "rltune/base/clock.hpp"

namespace rltune::gateway {

struct Page {
  TimePoint from{}, to{};
  std::uint32_t limit = 0;
  std::string after;  // what the store calls the last entry of the page before; empty: time says it
};

// The last hour before `now` where nothing else is said. Faults: by parameter.
std::expected<Page, api::Faults> page_of(const api::PageQuery& query, TimePoint now);

// For `next`: page_of() reads it back.
std::string cursor_of(const Page& page);

// A handler of a query that has a `page`. The clock outlives it.
template <typename Query, typename Work>
Handler paging(const Clock& clock, Work work) {
  return asking<Query>([&clock, work = std::move(work)](const CallPointer& call, const Query& query, const Done& done) {
    const auto page = page_of(query.page, clock.now());
    if (!page) return done({.status = 422, .detail = kParametersWrong, .faults = page.error()});
    work(call, query, *page, done);
  });
}

}  // namespace rltune::gateway
