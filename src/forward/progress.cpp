#include "progress.hpp"

#include <cstring>

#include "rltune/base/check.hpp"
#include "rltune/base/crc32c.hpp"

namespace rltune::forward {
namespace {

constexpr std::string_view kMagic = "RLTFWD1\n";
constexpr std::size_t kIdBytes = 36, kChecked = 76;

void add(std::string& bytes, auto number) {
  for (std::size_t i = 0; i < sizeof number; ++i) bytes += static_cast<char>(number >> (8 * i) & 0xffU);
}

template <typename Number>
Number number_at(std::string_view bytes, std::size_t at) {
  Number number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i)
    number |= static_cast<Number>(static_cast<Number>(static_cast<unsigned char>(bytes[at + i])) << (8 * i));
  return number;
}

}  // namespace

std::string to_bytes(const Slot& slot) {
  RLTUNE_CHECK(slot.buffer_id.size() == kIdBytes);
  const telemetry::SequenceRange under_way = slot.place.under_way.value_or(telemetry::SequenceRange{});
  std::string bytes(kMagic);
  for (const std::uint64_t number : {slot.count, slot.place.delivered, under_way.first, under_way.last})
    add(bytes, number);
  bytes += slot.buffer_id;
  add(bytes, crc32c(bytes));
  return bytes;
}

std::optional<Slot> parse_slot(std::string_view bytes) {
  if (bytes.size() < Progress::kSlotBytes || !bytes.starts_with(kMagic)) return std::nullopt;
  if (number_at<std::uint32_t>(bytes, kChecked) != crc32c(bytes.substr(0, kChecked))) return std::nullopt;
  Slot slot{.place = {.delivered = number_at<std::uint64_t>(bytes, 16), .under_way = {}},
            .count = number_at<std::uint64_t>(bytes, 8),
            .buffer_id = std::string(bytes.substr(40, kIdBytes))};
  const telemetry::SequenceRange range{number_at<std::uint64_t>(bytes, 24), number_at<std::uint64_t>(bytes, 32)};
  if (range.first == 0) return slot;
  if (range.last < range.first || range.first <= slot.place.delivered) return std::nullopt;
  slot.place.under_way = range;
  return slot;
}

Result<Progress> Progress::open(const std::filesystem::path& folder, const std::string& buffer_id) {
  if (buffer_id.size() != kIdBytes) return fail(Errc::invalid_argument, "the id of a buffer is a UUID");
  auto storage = telemetry::open_folder(folder);
  if (!storage) return std::unexpected(storage.error());
  auto file = (*storage)->open("progress");
  if (!file && file.error().code == Errc::not_found) {
    file = (*storage)->create("progress");
    if (file)
      if (auto synced = (*storage)->sync(); !synced) return std::unexpected(synced.error());
  }
  if (!file) return std::unexpected(file.error());
  Progress progress(std::move(*storage), std::move(*file), buffer_id);
  if (auto loaded = progress.load(); !loaded) return std::unexpected(loaded.error());
  return progress;
}

Result<> Progress::load() {
  bool holds = false, any_bytes = false;
  for (const std::uint64_t at : {std::uint64_t{0}, std::uint64_t{kSlotApart}}) {
    std::array<char, kSlotBytes> bytes{};
    const auto count = file_->read(at, bytes);
    if (!count) return std::unexpected(count.error());
    any_bytes |= *count > 0;
    const auto slot = parse_slot({bytes.data(), *count});
    if (!slot || slot->count < count_) continue;
    count_ = slot->count;
    holds = slot->buffer_id == buffer_id_;
    place_ = holds ? slot->place : Place{};
  }
  anew_ = any_bytes && !holds;
  // What holds is written into the other slot: it may be in the system's memory alone.
  return holds ? move_to(place_) : Result<>{};
}

Result<> Progress::move_to(const Place& place) {
  const std::string bytes = to_bytes({.place = place, .count = count_ + 1, .buffer_id = buffer_id_});
  const std::uint64_t at = (count_ + 1) % 2 == 0 ? 0 : kSlotApart;
  if (auto written = file_->write(at, bytes); !written) return written;
  if (auto synced = file_->sync(); !synced) return synced;
  ++count_;
  place_ = place;
  return {};
}

}  // namespace rltune::forward
