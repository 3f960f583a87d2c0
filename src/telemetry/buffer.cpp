#include "rltune/telemetry/buffer.hpp"

#include <sys/random.h>

#include <algorithm>
#include <charconv>
#include <format>

#include "rltune/base/check.hpp"
#include "segment_cursor.hpp"

namespace rltune::telemetry {
namespace {

constexpr std::string_view kPrefix = "segment-";
constexpr const char* kWatermark = "watermark";

std::string name_of(std::uint64_t number) { return std::format("{}{:08}", kPrefix, number); }

std::optional<std::uint64_t> number_of(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (code != std::errc{} || end != name.data() + name.size() || name_of(number).substr(kPrefix.size()) != name)
    return std::nullopt;
  return number;
}

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
  std::string name() const { return name_of(header.number); }
};

// Where reading went on last, so that who reads on does not begin at the segment's beginning.
struct Buffer::Position {
  std::uint64_t number = 0, offset = 0, next = 0;
};

Buffer::Buffer(std::unique_ptr<Storage> storage, const Clock& clock, BufferOptions options)
    : storage_(std::move(storage)),
      clock_(clock),
      options_(std::move(options)),
      position_(std::make_unique<Position>()) {
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
  return {};
}

Result<> Buffer::open_watermark() {
  auto file = storage_->open(kWatermark);
  if (!file && file.error().code != Errc::not_found) return std::unexpected(file.error());
  if (!file) {
    auto made = storage_->create(kWatermark);
    if (!made) return std::unexpected(made.error());
    watermark_ = std::move(*made);
    recovery_.watermark_gone = true;
    return storage_->sync();
  }
  watermark_ = std::move(*file);
  std::string bytes(kSlotBytes, '\0');
  bool known = false;
  for (const std::uint64_t at : {std::uint64_t{0}, std::uint64_t{kSecondSlotAt}}) {
    const auto got = watermark_->read(at, bytes);
    if (!got) return std::unexpected(got.error());
    const auto slot = decode_slot(std::string_view(bytes).substr(0, *got));
    if (!slot || (known && slot->count < watermark_count_)) continue;
    known = true;
    watermark_count_ = slot->count;
    acknowledged_ = slot->acknowledged;
    floor_ = slot->floor;
  }
  recovery_.watermark_gone = !known;
  // What is read may be in the system's memory alone. The other slot is on disk, and stays until this one is as well.
  if (known)
    if (auto done = write_slot({watermark_count_, acknowledged_, floor_}); !done) return done;
  return storage_->sync();
}

Result<> Buffer::list_segments() {
  const auto names = storage_->list();
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    const auto number = number_of(name);
    if (!number) continue;
    next_number_ = std::max(next_number_, *number + 1);
    auto file = storage_->open(name);
    if (!file) return std::unexpected(file.error());
    std::string bytes(kFramesAt, '\0');
    const auto got = (*file)->read(0, bytes);
    const auto size = (*file)->size();
    if (!got || !size) return std::unexpected(got ? size.error() : got.error());
    const auto header = decode_headers(std::string_view(bytes).substr(0, *got));
    if (header && header->number == *number) {
      segments_.push_back({*header, *size});
    } else if (*size > kFramesAt) {
      recovery_.damaged.push_back(name);
    } else {  // it was begun, and never held anything
      if (auto done = storage_->remove(name); !done) return done;
      ++recovery_.remains;
    }
  }
  std::ranges::sort(segments_, {}, [](const Segment& segment) { return segment.header.number; });
  if (segments_.empty() && recovery_.damaged.empty() && acknowledged_ == 0) recovery_.watermark_gone = false;
  // A segment begins behind what was durable.
  for (const Segment& segment : segments_) acknowledged_ = std::max(acknowledged_, segment.header.first - 1);
  return {};
}

// Retention wrote its floor, and was stopped before it removed.
Result<> Buffer::forget_removed() {
  while (segments_.size() > 1 && segments_[1].header.first <= floor_) {
    if (auto done = storage_->remove(segments_.front().name()); !done) return done;
    segments_.erase(segments_.begin());
  }
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
  auto file = storage_->open(last.name());
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
  if (auto done = write_slot(next); !done) return done;
  watermark_count_ = next.count;
  acknowledged_ = acknowledged;
  floor_ = floor;
  return {};
}

Result<> Buffer::begin_segment() {
  const SegmentHeader header{.salt = usable(options_.salt()),
                             .number = next_number_++,
                             .first = end_ + 1,
                             .begun_unix_ns = unix_ns(clock_.now())};
  const std::string name = name_of(header.number);
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
  if (storage_->free_bytes() < options_.free_bytes_min)
    return fail(Errc::no_space,
                "the disk of the telemetry buffer is nearly full: free some, or let retention take more");
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

Result<StoredBatch> Buffer::read(std::uint64_t from, std::size_t bytes_max) {
  StoredBatch batch;
  batch.next = std::max(from, floor_);
  std::size_t taken = 0;
  for (std::size_t i = 0; i < segments_.size() && batch.next <= acknowledged_; ++i) {
    if (taken >= bytes_max && !batch.records.empty()) break;
    const std::uint64_t end = std::min(end_of(i), acknowledged_);
    if (end < batch.next) continue;
    // A whole file is gone.
    if (segments_[i].header.first > batch.next) {
      batch.lost.push_back({batch.next, segments_[i].header.first - 1});
      batch.next = segments_[i].header.first;
    }
    if (auto done = read_segment(i, end, bytes_max, batch, taken); !done) return std::unexpected(done.error());
  }
  return batch;
}

Result<> Buffer::read_segment(std::size_t segment, std::uint64_t end, std::size_t bytes_max, StoredBatch& into,
                              std::size_t& taken) {
  const SegmentHeader& header = segments_[segment].header;
  auto file = storage_->open(segments_[segment].name());
  if (!file) return std::unexpected(file.error());
  const bool goes_on = position_->number == header.number && position_->next == into.next;
  SegmentCursor cursor(**file, header.salt, goes_on ? position_->offset : kFramesAt);
  while (into.next <= end && (taken < bytes_max || into.records.empty())) {
    const auto frame = cursor.next();
    if (!frame) return std::unexpected(frame.error());
    const std::uint64_t sequence = *frame ? (*frame)->sequence : end + 1;
    if (sequence < into.next) continue;
    if (sequence > into.next) into.lost.push_back({into.next, std::min(sequence - 1, end)});
    into.next = std::min(sequence, end + 1);
    if (!*frame || sequence > end) break;
    into.records.push_back({sequence, (*frame)->unix_ns, std::string((*frame)->payload)});
    taken += (*frame)->payload.size();
    ++into.next;
  }
  *position_ = {header.number, cursor.offset(), into.next};
  return {};
}

Result<std::optional<SequenceRange>> Buffer::retain(const Limits& limits) {
  const std::int64_t oldest = unix_ns(clock_.now() - limits.age_max);
  std::uint64_t sum = bytes();
  std::size_t go = 0;
  // The next one's beginning is later than every record of a segment.
  while (go + 1 < segments_.size() && end_of(go) <= acknowledged_ &&
         (sum > limits.bytes_max || segments_[go + 1].header.begun_unix_ns < oldest))
    sum -= segments_[go++].bytes;
  if (go == 0) return std::nullopt;
  const SequenceRange removed{floor_, segments_[go].header.first - 1};
  if (auto done = write_watermark(acknowledged_, removed.last + 1); !done) return std::unexpected(done.error());
  for (; go > 0; --go) {
    if (auto done = storage_->remove(segments_.front().name()); !done) return std::unexpected(done.error());
    segments_.erase(segments_.begin());
  }
  if (removed.first > removed.last) return std::nullopt;  // there was none in them
  return removed;
}

}  // namespace rltune::telemetry
