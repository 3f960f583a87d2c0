#include "index_store.hpp"

#include "segment_cursor.hpp"
#include "stored_folder.hpp"

namespace rltune::telemetry {
namespace {

constexpr std::uint64_t kIndexBytesMax = std::uint64_t{64} << 20U;

// Empty: it is not there.
Result<std::string> read_index(Storage& storage, std::uint64_t number, bool whole) {
  auto file = storage.open(index_name(number));
  if (!file && file.error().code == Errc::not_found) return std::string();
  if (!file) return std::unexpected(file.error());
  const auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  std::string bytes(whole && *size <= kIndexBytesMax ? *size : kIndexHeadBytes, '\0');
  const auto got = (*file)->read(0, bytes);
  if (!got) return std::unexpected(got.error());
  bytes.resize(*got);
  return bytes;
}

bool is_of(const auto& index, const SegmentHeader& segment, std::uint64_t bytes) {
  return index.salt == segment.salt && index.number == segment.number && index.bytes == bytes;
}

}  // namespace

Result<std::optional<IndexHead>> load_index_head(Storage& storage, const SegmentHeader& segment, std::uint64_t bytes) {
  const auto read = read_index(storage, segment.number, false);
  if (!read) return std::unexpected(read.error());
  auto head = decode_index_head(*read);
  if (head && !is_of(*head, segment, bytes)) head.reset();
  return head;
}

Result<std::optional<SegmentIndex>> load_index(Storage& storage, const SegmentHeader& segment, std::uint64_t bytes) {
  const auto read = read_index(storage, segment.number, true);
  if (!read) return std::unexpected(read.error());
  auto index = decode_index(*read);
  if (index && !is_of(*index, segment, bytes)) index.reset();
  return index;
}

Result<> write_index(Storage& storage, const SegmentIndex& index) {
  const std::string name = index_name(index.number);
  if (auto gone = storage.remove(name); !gone && gone.error().code != Errc::not_found) return gone;
  auto file = storage.create(name);
  if (!file) return std::unexpected(file.error());
  return (*file)->write(0, encode_index(index));  // what a crash leaves of it is seen by its checksums
}

Result<> GrowingIndex::extend(Storage& storage, std::uint64_t last) {
  auto file = storage.open(segment_name(segment_.number));
  if (!file) return std::unexpected(file.error());
  const auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  bytes_ = *size;
  SegmentCursor cursor(**file, segment_.salt, offset_);
  while (true) {
    const auto frame = cursor.next();
    if (!frame) return std::unexpected(frame.error());
    // What stands behind may be half written.
    if (!*frame || (*frame)->sequence > last) return {};
    builder_.add(cursor.offset() - (*frame)->bytes(), **frame);
    offset_ = cursor.offset();
    if ((*frame)->sequence == last) return {};
  }
}

}  // namespace rltune::telemetry
