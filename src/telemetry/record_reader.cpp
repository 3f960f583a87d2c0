#include "rltune/telemetry/record_reader.hpp"

#include "segment_cursor.hpp"
#include "stored_folder.hpp"
#include "view.hpp"

namespace rltune::telemetry {
namespace {

constexpr std::size_t kPlaces = 16, kLostRangesMax = 4096;

}  // namespace

struct RecordReader::Reading {
  View view;
  std::size_t bytes_max = 0, taken = 0;
  Place place;
  StoredBatch batch;

  bool goes_on() const {
    return batch.next <= view.acknowledged && !view.segments->empty() && (taken < bytes_max || batch.records.empty());
  }
  void miss(std::uint64_t last) {
    batch.lost.push_back({batch.next, last});
    batch.next = last + 1;
  }
};

RecordReader::RecordReader(std::shared_ptr<Storage> storage, std::shared_ptr<Published> published, Renew renew)
    : storage_(std::move(storage)), published_(std::move(published)), renew_(std::move(renew)) {}

std::uint64_t RecordReader::floor() const { return published_->view().floor; }
std::uint64_t RecordReader::acknowledged() const { return published_->view().acknowledged; }

Result<StoredBatch> RecordReader::read(std::uint64_t from, std::size_t bytes_max) {
  Reading reading{.view = published_->view(), .bytes_max = bytes_max, .place = {}, .batch = {}};
  if (renew_ && from > reading.view.acknowledged) {
    auto view = look_again();
    if (!view) return std::unexpected(view.error());
    reading.view = std::move(*view);
  }
  reading.batch.next = std::max(from, reading.view.floor);
  reading.place = take_place(reading.batch.next);
  while (reading.goes_on()) {
    const auto was_there = read_segment(reading);
    if (!was_there) return std::unexpected(was_there.error());
    if (*was_there) continue;
    auto view = look_again();
    if (!view) return std::unexpected(view.error());
    const std::uint64_t gone = reading.view.end_of(reading.view.segment_with(reading.batch.next));
    reading.view = std::move(*view);
    if (reading.batch.next < reading.view.floor)
      reading.batch.next = reading.view.floor;
    else
      reading.miss(gone);  // somebody else removed it
  }
  for (const SequenceRange& range : reading.batch.lost) note_lost(range);
  put_place(reading.place);
  return std::move(reading.batch);
}

// The records of one segment, from `next` on. False: its file is not there.
Result<bool> RecordReader::read_segment(Reading& reading) {
  StoredBatch& batch = reading.batch;
  const std::size_t index = reading.view.segment_with(batch.next);
  const SegmentHeader& header = (*reading.view.segments)[index];
  const std::uint64_t end = reading.view.end_of(index);
  if (header.first > batch.next) reading.miss(header.first - 1);  // a whole file is gone, before the start
  auto file = storage_->open(segment_name(header.number));
  if (!file && file.error().code == Errc::not_found) return false;
  if (!file) return std::unexpected(file.error());
  Place& place = reading.place;
  if (place.segment != header.number || place.next > batch.next) place = {header.number, kFramesAt, 0};
  SegmentCursor cursor(**file, header.salt, place.offset);
  while (batch.next <= end && (reading.taken < reading.bytes_max || batch.records.empty())) {
    const auto frame = cursor.next();
    if (!frame) return std::unexpected(frame.error());
    const std::uint64_t sequence = *frame ? (*frame)->sequence : end + 1;
    if (sequence < batch.next) continue;
    if (sequence > batch.next) reading.miss(std::min(sequence - 1, end));
    if (sequence > end) break;
    batch.records.push_back({sequence, (*frame)->unix_ns, std::string((*frame)->payload)});
    reading.taken += (*frame)->payload.size();
    batch.next = sequence + 1;
    place.offset = cursor.offset();
  }
  place.next = batch.next;
  return true;
}

Result<View> RecordReader::look_again() {
  if (!renew_) return published_->view();
  auto view = renew_();
  if (view) published_->tell(*view);
  return view;
}

RecordReader::Place RecordReader::take_place(std::uint64_t next) {
  const std::scoped_lock lock(places_mutex_);
  const auto place = std::ranges::find(places_, next, &Place::next);
  if (place == places_.end()) return {};
  const Place found = *place;
  places_.erase(place);
  return found;
}

void RecordReader::put_place(const Place& place) {
  if (place.segment == 0) return;
  const std::scoped_lock lock(places_mutex_);
  if (places_.size() == kPlaces) places_.erase(places_.begin());
  places_.push_back(place);
}

std::uint64_t RecordReader::lost() const {
  const std::scoped_lock lock(lost_mutex_);
  return lost_count_;
}

// Several readers come upon the same.
void RecordReader::note_lost(const SequenceRange& range) {
  const std::scoped_lock lock(lost_mutex_);
  std::uint64_t first = range.first, last = range.last, known = 0;
  auto at = lost_.upper_bound(last);
  while (at != lost_.begin() && std::prev(at)->second >= first) {
    --at;
    known += at->second - at->first + 1;
    first = std::min(first, at->first);
    last = std::max(last, at->second);
    at = lost_.erase(at);
  }
  lost_count_ += last - first + 1 - known;
  lost_.emplace(first, last);
  if (lost_.size() > kLostRangesMax) lost_.erase(lost_.begin());
}

namespace {

// Everything that the watermark says first is in segments that are listed after it; everything that was removed before
// they were listed is below the floor that is read last.
Result<View> view_of(Storage& storage) {
  auto file = storage.open(kWatermarkName);
  if (!file) return std::unexpected(file.error());
  const auto before = read_watermark(**file);
  if (!before) return std::unexpected(before.error());
  const auto found = find_segments(storage);
  if (!found) return std::unexpected(found.error());
  const auto after = read_watermark(**file);
  if (!after) return std::unexpected(after.error());
  if (!*before || !*after)
    return fail(Errc::corrupt, "the watermark of the telemetry buffer is gone: the role's next start repairs it");
  auto segments = std::make_shared<std::vector<SegmentHeader>>();
  for (const FoundSegment& segment : *found)
    if (segment.header) segments->push_back(*segment.header);
  return View{segments, (*before)->acknowledged, (*after)->floor};
}

}  // namespace

Result<std::unique_ptr<RecordReader>> open_to_read(const std::filesystem::path& folder) {
  auto opened = open_folder_to_read(folder);
  if (!opened) return std::unexpected(opened.error());
  std::shared_ptr<Storage> storage = std::move(*opened);
  auto view = view_of(*storage);
  if (!view) return std::unexpected(view.error());
  auto published = std::make_shared<Published>();
  published->tell(*view);
  return std::make_unique<RecordReader>(storage, published, [storage] { return view_of(*storage); });
}

}  // namespace rltune::telemetry
