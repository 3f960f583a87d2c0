#include "rltune/telemetry/buffer.hpp"

#include <sys/random.h>

#include <algorithm>
#include <format>

#include "rltune/base/check.hpp"
#include "rltune/telemetry/record_reader.hpp"
#include "segment_cursor.hpp"
#include "stored_folder.hpp"
#include "unsent_tally.hpp"
#include "view.hpp"

namespace rltune::telemetry {
namespace {

std::uint64_t random_salt() {
  std::uint64_t salt = 0;
  RLTUNE_CHECK(::getrandom(&salt, sizeof salt, 0) == sizeof salt);
  return salt;
}

// Its first bytes are a mark, which shall not be what files are full of.
std::uint64_t usable(std::uint64_t salt) { return (salt & 0xFFFFFFFFU) == 0 ? salt | 1U : salt; }

std::int64_t unix_ns(TimePoint time) { return time.time_since_epoch().count(); }

}  // namespace

struct Buffer::Segment {
  SegmentHeader header;
  std::uint64_t bytes = 0;
  static std::uint64_t number_of(const Segment& segment) { return segment.header.number; }
};

Buffer::Buffer(std::unique_ptr<Storage> storage, const Clock& clock, BufferOptions options)
    : storage_(std::move(storage)),
      clock_(clock),
      options_(std::move(options)),
      unsent_(std::make_unique<UnsentTally>()),
      published_(std::make_shared<Published>()),
      records_(std::make_unique<RecordReader>(storage_, published_)) {
  if (!options_.salt) options_.salt = random_salt;
}
Buffer::Buffer(Buffer&&) noexcept = default;
Buffer::~Buffer() = default;

Result<Buffer> Buffer::open(std::unique_ptr<Storage> storage, const Clock& clock, BufferOptions options) {
  Buffer buffer(std::move(storage), clock, std::move(options));
  if (auto done = buffer.recover(); !done) return std::unexpected(done.error());
  return buffer;
}

Result<> Buffer::recover() {
  for (const auto step :
       {&Buffer::open_watermark, &Buffer::list_segments, &Buffer::repair_end, &Buffer::forget_removed})
    if (auto done = (this->*step)(); !done) return done;
  for (const SequenceRange& range : recovery_.lost) records_->note_lost(range);
  tell_segments();
  return unsent_->open(*storage_, floor_);
}

Result<> Buffer::open_watermark() {
  auto file = storage_->open(kWatermarkName);
  if (!file && file.error().code != Errc::not_found) return std::unexpected(file.error());
  if (!file) {
    auto made = storage_->create(kWatermarkName);
    if (!made) return std::unexpected(made.error());
    watermark_ = std::move(*made);
    recovery_.watermark_gone = true;
    return storage_->sync();
  }
  watermark_ = std::move(*file);
  const auto known = read_watermark(*watermark_);
  if (!known) return std::unexpected(known.error());
  recovery_.watermark_gone = !*known;
  if (!*known) return storage_->sync();
  watermark_count_ = (*known)->count;
  acknowledged_ = (*known)->acknowledged;
  floor_ = (*known)->floor;
  // What is read may be in the system's memory alone. The other slot is on disk, and stays until this one is as well.
  if (auto done = write_slot(**known); !done) return done;
  return storage_->sync();
}

Result<> Buffer::list_segments() {
  const auto found = find_segments(*storage_);
  if (!found) return std::unexpected(found.error());
  for (const FoundSegment& segment : *found) {
    next_number_ = segment.number + 1;
    if (segment.header) {
      segments_.push_back({*segment.header, segment.bytes});
    } else if (segment.bytes > kFramesAt) {
      recovery_.damaged.push_back(segment_name(segment.number));
    } else {  // it was begun, and never held anything
      if (auto done = storage_->remove(segment_name(segment.number)); !done) return done;
      ++recovery_.remains;
    }
  }
  if (segments_.empty() && recovery_.damaged.empty() && acknowledged_ == 0) recovery_.watermark_gone = false;
  // A segment begins behind what was durable.
  for (const Segment& segment : segments_) acknowledged_ = std::max(acknowledged_, segment.header.first - 1);
  return {};
}

// Retention wrote its floor, and was stopped before it removed.
Result<> Buffer::forget_removed() {
  while (segments_.size() > 1 && segments_[1].header.first <= floor_)
    if (auto done = remove_first(); !done) return done;
  const auto names = storage_->list();
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names)  // an index that was written while its segment went
    if (const auto number = index_number(name);
        number && !std::ranges::contains(segments_, *number, Segment::number_of))
      (void)storage_->remove(name);
  return {};
}

// What of the last segment is there, and whether the next record may follow. Records that nobody acknowledged may be in
// the system's memory alone, and no sync would say so after one that failed: they are written again.
Result<> Buffer::repair_end() {
  std::vector<StoredRecord> again;
  if (!segments_.empty())
    if (auto done = scan_end(again); !done) return done;
  end_ = acknowledged_;
  if (auto done = write_watermark(acknowledged_, floor_); !done) return done;
  if (again.empty()) return {};
  std::vector<Frame> frames;
  for (const StoredRecord& record : again) frames.push_back({record.sequence, record.unix_ns, record.payload});
  if (write_frames(frames)) recovery_.unacknowledged = again.size();  // or they stay what they were
  return {};
}

Result<> Buffer::scan_end(std::vector<StoredRecord>& again) {
  const Segment& last = segments_.back();
  auto file = storage_->open(segment_name(last.header.number));
  if (!file) return std::unexpected(file.error());
  SegmentCursor cursor(**file, last.header.salt);
  std::uint64_t expected = std::max(last.header.first, floor_);
  while (true) {
    const auto frame = cursor.next();
    if (!frame) return std::unexpected(frame.error());
    if (!*frame) break;
    const std::uint64_t sequence = (*frame)->sequence;
    if (recovery_.watermark_gone) acknowledged_ = std::max(acknowledged_, sequence);
    if (sequence > acknowledged_) {
      // Without a gap: what was written out of order is nothing that was submitted after what is missing.
      if (sequence == acknowledged_ + again.size() + 1)
        again.push_back({sequence, (*frame)->unix_ns, std::string((*frame)->payload)});
      continue;
    }
    if (sequence < expected) continue;
    if (sequence > expected) recovery_.lost.push_back({expected, sequence - 1});
    expected = sequence + 1;
  }
  if (expected <= acknowledged_) recovery_.lost.push_back({expected, acknowledged_});
  // Something acknowledged is in it, so its header is on disk.
  const bool whole =
      cursor.clean() && again.empty() && last.header.first <= acknowledged_ && cursor.offset() == last.bytes;
  if (whole && last.bytes < options_.segment_bytes) active_ = std::move(*file);
  return {};
}

Result<> Buffer::write_slot(const Watermark& watermark) {
  const std::uint64_t at = watermark.count % 2 == 0 ? 0 : kSecondSlotAt;
  if (auto done = watermark_->write(at, encode_slot(watermark)); !done) return done;
  return watermark_->sync();
}

Result<> Buffer::write_watermark(std::uint64_t acknowledged, std::uint64_t floor) {
  const Watermark next{watermark_count_ + 1, acknowledged, floor};
  floor_in_doubt_ = floor_in_doubt_ || floor != floor_;
  if (auto done = write_slot(next); !done) return done;
  floor_in_doubt_ = false;
  watermark_count_ = next.count;
  acknowledged_ = acknowledged;
  floor_ = floor;
  tell_numbers();
  return {};
}

void Buffer::tell_numbers() {
  View view = published_->view();
  view.acknowledged = acknowledged_;
  view.floor = floor_;
  published_->tell(std::move(view));
}

void Buffer::tell_segments() {
  auto headers = std::make_shared<std::vector<SegmentHeader>>();
  headers->reserve(segments_.size());
  for (const Segment& segment : segments_) headers->push_back(segment.header);
  published_->tell({std::move(headers), acknowledged_, floor_});
}

Result<> Buffer::begin_segment() {
  const SegmentHeader header{.salt = usable(options_.salt()),
                             .number = next_number_++,
                             .first = end_ + 1,
                             .begun_unix_ns = unix_ns(clock_.now())};
  const std::string name = segment_name(header.number);
  auto file = storage_->create(name);
  if (!file) return std::unexpected(file.error());
  auto done = (*file)->write(0, encode_headers(header));
  if (done) done = (*file)->sync();
  if (done) done = storage_->sync();
  if (!done) {
    (void)storage_->remove(name);  // where it stays, the next start removes it, or passes over it
    return done;
  }
  active_ = std::move(*file);
  segments_.push_back({header, kFramesAt});
  tell_segments();
  return {};
}

Result<SequenceRange> Buffer::commit(std::span<const std::string_view> payloads) {
  RLTUNE_CHECK(!payloads.empty());
  std::vector<Frame> frames;
  frames.reserve(payloads.size());
  const std::int64_t now = unix_ns(clock_.now());
  for (const std::string_view payload : payloads) {
    if (payload.size() > kPayloadMax)
      return fail(Errc::invalid_argument,
                  std::format("a record of {} bytes; {} is the most", payload.size(), kPayloadMax));
    frames.push_back({end_ + 1 + frames.size(), now, payload});
  }
  if (auto room = check_room(); !room) return std::unexpected(room.error());
  return write_frames(frames);
}

// REQUIRES: numbered from end_ + 1 on.
Result<SequenceRange> Buffer::write_frames(std::span<const Frame> frames) {
  if (!active_)
    if (auto begun = begin_segment(); !begun) return std::unexpected(begun.error());
  Segment& segment = segments_.back();
  bytes_.clear();
  for (const Frame& frame : frames) append_frame(bytes_, segment.header.salt, frame);
  auto done = active_->write(segment.bytes, bytes_);
  if (done) done = active_->sync();
  if (!done) {
    active_.reset();  // what it holds behind end_ is unknown
    return std::unexpected(done.error());
  }
  end_ = frames.back().sequence;
  segment.bytes += bytes_.size();
  if (segment.bytes >= options_.segment_bytes) active_.reset();
  if (auto told = write_watermark(end_, floor_); !told) return std::unexpected(told.error());
  return SequenceRange{frames.front().sequence, end_};
}

std::uint64_t Buffer::end_of(std::size_t segment) const noexcept {
  return segment + 1 < segments_.size() ? segments_[segment + 1].header.first - 1 : acknowledged_;
}

std::uint64_t Buffer::bytes() const noexcept {
  std::uint64_t sum = 0;
  for (const Segment& segment : segments_) sum += segment.bytes;
  return sum;
}

Result<std::optional<Removed>> Buffer::retain(const Retention& retention, std::size_t segments_max) {
  const std::int64_t oldest = unix_ns(clock_.now() - retention.age_max);
  std::uint64_t sum = bytes();
  std::size_t go = 0;
  // The next one's beginning is later than every record of a segment.
  while (go < segments_max && go + 1 < segments_.size() && end_of(go) <= acknowledged_ &&
         (sum > retention.bytes_max || segments_[go + 1].header.begun_unix_ns < oldest))
    sum -= segments_[go++].bytes;
  if (go == 0) return std::nullopt;
  const std::uint64_t floor = std::max(floor_, segments_[go].header.first);
  const std::uint64_t taken = retention.taken ? retention.taken() : floor;
  const std::uint64_t unsent_from = std::max(floor_, taken + 1);
  Removed removed{{floor_, floor - 1}, std::nullopt};
  if (unsent_from < floor) removed.unsent = SequenceRange{unsent_from, floor - 1};
  // What was counted for a floor that may be on disk stays until it is known that it is not.
  if (floor_in_doubt_)
    if (auto done = write_watermark(acknowledged_, floor_); !done) return std::unexpected(done.error());
  if (auto done = unsent_->prepare(*storage_, floor, removed.unsent ? removed.unsent->count() : 0); !done)
    return std::unexpected(done.error());
  if (auto done = write_watermark(acknowledged_, floor); !done) return std::unexpected(done.error());
  unsent_->settle();
  Result<> gone;
  for (; go > 0 && gone; --go) gone = remove_first();
  tell_segments();
  if (removed.all.first <= removed.all.last) return removed;  // a file that stayed is tried again the next time
  if (!gone) return std::unexpected(gone.error());
  return std::nullopt;
}

Result<> Buffer::remove_first() {
  const std::uint64_t number = segments_.front().header.number;
  // Derived from the segment, and of no use without it.
  if (auto done = storage_->remove(index_name(number)); !done && done.error().code != Errc::not_found) return done;
  if (auto done = storage_->remove(segment_name(number)); !done) return done;
  segments_.erase(segments_.begin());
  return {};
}

std::uint64_t Buffer::unsent() const noexcept { return unsent_->records(); }

Result<> Buffer::probe() {
  if (auto room = check_room(); !room) return room;
  return write_watermark(acknowledged_, floor_);
}

std::uint64_t Buffer::free_bytes() const { return storage_->free_bytes(); }

Result<> Buffer::check_room() const {
  if (free_bytes() >= options_.free_bytes_min) return {};
  return fail(Errc::no_space, "the disk of the telemetry buffer is nearly full: free some, or let retention take more");
}

}  // namespace rltune::telemetry
