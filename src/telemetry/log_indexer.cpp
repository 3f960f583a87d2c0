#include "rltune/telemetry/log_indexer.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <set>

#include "index_store.hpp"
#include "rltune/base/log.hpp"
#include "stored_folder.hpp"
#include "view.hpp"

namespace rltune::telemetry {
namespace {

// Errors: not_found: retention was faster.
Result<> make_index(Storage& storage, const SegmentHeader& segment, std::uint64_t last) {
  auto file = storage.open(segment_name(segment.number));
  if (!file) return std::unexpected(file.error());
  const auto bytes = (*file)->size();
  if (!bytes) return std::unexpected(bytes.error());
  const auto head = load_index_head(storage, segment, *bytes);
  if (!head) return std::unexpected(head.error());
  if (*head) return {};
  GrowingIndex index(segment);
  if (auto done = index.extend(storage, last); !done) return done;
  return write_index(storage, index.index());
}

bool is_there(const View& view, std::uint64_t number) {
  return std::ranges::binary_search(*view.segments, number, {}, &SegmentHeader::number);
}

}  // namespace

LogIndexer::LogIndexer(RecordReader& records)
    : records_(records), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void LogIndexer::run(const std::stop_token& stop) {
  constexpr int kNice = 10;
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
  std::set<std::uint64_t> seen;  // what was tried is not tried again before the next start
  View view;
  while (!stop.stop_requested()) {
    view = records_.published().wait_for_other(view, stop);
    for (std::size_t i = 0; i + 1 < view.segments->size() && !stop.stop_requested(); ++i) {
      const SegmentHeader& segment = (*view.segments)[i];
      if (!seen.insert(segment.number).second) continue;
      if (auto done = make_index(records_.storage(), segment, view.end_of(i));
          !done && done.error().code != Errc::not_found)
        log::warning("telemetry: a segment has no index; searches read it whole", {{"reason", done.error().message}});
      if (!is_there(records_.published().view(), segment.number))
        (void)records_.storage().remove(index_name(segment.number));
    }
    std::erase_if(seen, [&](std::uint64_t number) { return !is_there(view, number); });
  }
}

}  // namespace rltune::telemetry
