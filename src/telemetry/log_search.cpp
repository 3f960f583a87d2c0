#include "rltune/telemetry/log_search.hpp"

#include <list>

#include "index_store.hpp"
#include "log_matcher.hpp"
#include "segment_cursor.hpp"
#include "stored_folder.hpp"
#include "view.hpp"

namespace rltune::telemetry {

using SharedIndex = std::shared_ptr<const SegmentIndex>;

// The indexes of segments: from beside them, or made of them and kept for the next page.
class LogSearch::Indexes {
 public:
  explicit Indexes(Storage& storage) : storage_(storage) {}

  // Up to `last` at least. `work` grows by the bytes that were read. Errors: not_found: the segment is gone; io.
  Result<SharedIndex> of(const SegmentHeader& segment, std::uint64_t bytes, std::uint64_t last, bool ended,
                         std::size_t& work) {
    const std::scoped_lock lock(mutex_);
    if (!ended) return grown(segment, last, work);
    if (auto known = recent(segment, bytes)) return known;
    auto stored = load_index(storage_, segment, bytes);
    if (!stored) return std::unexpected(stored.error());
    if (*stored) {
      work += bytes / 128;  // about the size of its index
      return remember(std::make_shared<SegmentIndex>(std::move(**stored)));
    }
    auto made = grown(segment, last, work);
    if (made) (void)write_index(storage_, **made);  // where it cannot be kept, the next search makes it again
    return made ? Result<SharedIndex>(remember(*made)) : made;
  }

 private:
  static constexpr std::size_t kRecent = 8;

  SharedIndex recent(const SegmentHeader& segment, std::uint64_t bytes) {
    const auto at = std::ranges::find_if(
        recent_, [&](const SharedIndex& index) { return index->salt == segment.salt && index->bytes == bytes; });
    if (at == recent_.end()) return nullptr;
    recent_.splice(recent_.begin(), recent_, at);
    return recent_.front();
  }
  SharedIndex remember(SharedIndex index) {
    recent_.push_front(std::move(index));
    if (recent_.size() > kRecent) recent_.pop_back();
    return recent_.front();
  }
  Result<SharedIndex> grown(const SegmentHeader& segment, std::uint64_t last, std::size_t& work) {
    if (!growing_ || growing_->segment().salt != segment.salt) growing_.emplace(segment);
    const std::uint64_t before = growing_->offset();
    if (auto done = growing_->extend(storage_, last); !done) return std::unexpected(done.error());
    work += growing_->offset() - before;
    return std::make_shared<SegmentIndex>(growing_->index());
  }

  Storage& storage_;
  std::mutex mutex_;
  std::list<SharedIndex> recent_;
  std::optional<GrowingIndex> growing_;
};

// One call of find().
class LogSearch::Walk {
 public:
  Walk(LogSearch& search, const LogQuery& query)
      : search_(search), query_(query), matcher_(query), view_(search.records_.published().view()) {
    page_.next = query.newest_first ? std::min(query.next.value_or(view_.acknowledged), view_.acknowledged)
                                    : std::max(query.next.value_or(view_.floor), view_.floor);
  }

  Result<LogPage> go() {
    while (is_inside() && !full_ && work_ < search_.limits_.work_bytes_max) {
      const std::size_t segment = view_.segment_with(page_.next);
      if (auto done = visit(segment); !done && done.error().code != Errc::not_found)
        return std::unexpected(done.error());
      else if (!done || !stopped_)
        pass(begin_of(segment), view_.end_of(segment));
    }
    page_.is_complete = !is_inside();
    return std::move(page_);
  }

 private:
  bool is_inside() const {
    return !view_.segments->empty() && view_.floor <= page_.next && page_.next <= view_.acknowledged;
  }
  std::uint64_t begin_of(std::size_t segment) const {
    // What is missing before the first of them is passed with it.
    return segment == 0 ? view_.floor : std::max((*view_.segments)[segment].first, view_.floor);
  }
  // Everything from `first` to `last` was looked at.
  void pass(std::uint64_t first, std::uint64_t last) {
    page_.next = query_.newest_first ? std::min(page_.next, first - 1) : std::max(page_.next, last + 1);
  }

  Result<> visit(std::size_t number) {
    const SegmentHeader& segment = (*view_.segments)[number];
    Storage& storage = search_.records_.storage();
    stopped_ = false;
    auto file = storage.open(segment_name(segment.number));
    if (!file) return std::unexpected(file.error());
    const auto bytes = (*file)->size();
    if (!bytes) return std::unexpected(bytes.error());
    const bool ended = number + 1 < view_.segments->size();
    if (ended) {
      const auto head = load_index_head(storage, segment, *bytes);
      if (!head) return std::unexpected(head.error());
      work_ += kIndexHeadBytes;
      if (*head && !matcher_.meets((*head)->times)) return {};
    }
    const auto index = search_.indexes_->of(segment, *bytes, view_.end_of(number), ended, work_);
    if (!index) return std::unexpected(index.error());
    return visit_blocks(**file, **index, view_.end_of(number));
  }

  Result<> visit_blocks(StoredFile& file, const SegmentIndex& index, std::uint64_t last) {
    const std::size_t count = index.blocks.size();
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = query_.newest_first ? count - 1 - i : i;
      const IndexBlock& block = index.blocks[at];
      const bool is_last = at + 1 == count;
      const std::uint64_t block_last = is_last ? last : index.blocks[at + 1].first - 1;
      if (query_.newest_first ? block.first > page_.next : block_last < page_.next) continue;
      if (matcher_.may_be_in(index, block)) {
        const std::uint64_t end = is_last ? std::numeric_limits<std::uint64_t>::max() : index.blocks[at + 1].offset;
        if (auto done = visit_block(file, index.salt, block.offset, end, last); !done) return done;
        if (stopped_) return {};
      }
      pass(block.first, block_last);
      stopped_ = full_ = page_.entries.size() == query_.limit;
      if (stopped_) return {};
    }
    return {};
  }

  // Frames that begin from `begin` on, before `end`.
  Result<> visit_block(StoredFile& file, std::uint64_t salt, std::uint64_t begin, std::uint64_t end,
                       std::uint64_t last) {
    if (scanned_ && work_ >= search_.limits_.work_bytes_max) {
      stopped_ = true;
      return {};
    }
    scanned_ = true;
    std::vector<StoredRecord> found;
    SegmentCursor cursor(file, salt, begin);
    while (true) {
      const auto frame = cursor.next();
      if (!frame) return std::unexpected(frame.error());
      if (!*frame || (*frame)->sequence > last || cursor.offset() - (*frame)->bytes() >= end) break;
      work_ += (*frame)->bytes();
      const bool is_ahead = query_.newest_first ? (*frame)->sequence <= page_.next : (*frame)->sequence >= page_.next;
      if (is_ahead && (*frame)->sequence >= view_.floor && matcher_.matches((*frame)->payload))
        found.push_back({(*frame)->sequence, (*frame)->unix_ns, std::string((*frame)->payload)});
    }
    if (query_.newest_first) std::ranges::reverse(found);
    for (StoredRecord& record : found) take(record);
    return {};
  }

  void take(StoredRecord& record) {
    if (stopped_) return;
    if (page_.entries.size() == query_.limit ||
        (!page_.entries.empty() && bytes_ + record.payload.size() > search_.limits_.page_bytes_max)) {
      stopped_ = full_ = true;
      page_.next = record.sequence;
      return;
    }
    bytes_ += record.payload.size();
    page_.entries.push_back(std::move(record));
  }

  LogSearch& search_;
  const LogQuery& query_;
  LogMatcher matcher_;
  View view_;
  LogPage page_;
  std::size_t work_ = 0, bytes_ = 0;
  bool stopped_ = false;  // inside of a segment: page_.next says where
  bool full_ = false;
  bool scanned_ = false;  // a block at least, so that the next call begins elsewhere
};

LogSearch::LogSearch(RecordReader& records, SearchLimits limits)
    : records_(records), limits_(limits), indexes_(std::make_unique<Indexes>(records.storage())) {}
LogSearch::~LogSearch() = default;

Result<LogPage> LogSearch::find(const LogQuery& query) {
  if (query.limit == 0) return fail(Errc::invalid_argument, "a page of no entry; ask for one at least");
  return Walk(*this, query).go();
}

}  // namespace rltune::telemetry
