// Finds log entries in what a buffer keeps, page by page.
//
//   LogSearch search(intake.records());
//   LogQuery query{.services = {"agent"}, .level_min = log::Level::warning};
//   for (auto page = search.find(query); page && !page->is_complete; page = search.find(query)) query.next =
//   page->next;
//
// Threads: any. Memory: a page, a block, and the indexes of eight segments.
// Time: a call ends after about work_bytes_max bytes of segments and indexes, found or not; where a segment has no
// index yet, after one more segment.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rltune/base/log.hpp"
#include "rltune/base/time.hpp"
#include "rltune/telemetry/record_reader.hpp"

namespace rltune::telemetry {

struct LogQuery {
  std::optional<TimePoint> from, to;  // the entry's timestamp: not before, and before
  std::vector<std::string> services;  // any of them; none: all
  log::Level level_min = log::Level::debug;
  std::string correlation_id;         // empty: whichever
  std::string text;                   // in the message or in the attributes' JSON, A to Z in either case
  std::size_t limit = 100;            // entries of a page
  std::optional<std::uint64_t> next;  // where to go on: what a page said
  bool newest_first = true;           // by the order in which they came
};

struct LogPage {
  std::vector<StoredRecord> entries;
  std::uint64_t next = 0;    // where to go on; with the oldest first, later as well, for what comes then
  bool is_complete = false;  // there is no more now
};

struct SearchLimits {
  std::size_t work_bytes_max = std::size_t{32} << 20U;
  std::size_t page_bytes_max = std::size_t{4} << 20U;  // of payloads; at least one entry
};

class LogSearch {
 public:
  // REQUIRES: the records outlive it.
  explicit LogSearch(RecordReader& records, SearchLimits limits = {});
  ~LogSearch();

  // Errors: invalid_argument: a limit of 0; io.
  Result<LogPage> find(const LogQuery& query);

 private:
  class Indexes;
  class Walk;
  RecordReader& records_;
  SearchLimits limits_;
  std::unique_ptr<Indexes> indexes_;
};

}  // namespace rltune::telemetry
