#include "stored_folder.hpp"

#include <algorithm>
#include <charconv>
#include <format>

namespace rltune::telemetry {
namespace {

constexpr std::string_view kSegmentPrefix = "segment-", kIndexPrefix = "index-";

std::string name_of(std::string_view prefix, std::uint64_t number) { return std::format("{}{:08}", prefix, number); }

std::optional<std::uint64_t> number_of(std::string_view prefix, std::string_view name) {
  if (!name.starts_with(prefix)) return std::nullopt;
  const std::string_view digits = name.substr(prefix.size());
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (code != std::errc{} || end != digits.data() + digits.size() || name_of(prefix, number) != name)
    return std::nullopt;
  return number;
}

Result<FoundSegment> look_at(Storage& storage, const std::string& name, std::uint64_t number) {
  auto file = storage.open(name);
  if (!file) return std::unexpected(file.error());
  std::string bytes(kFramesAt, '\0');
  const auto got = (*file)->read(0, bytes);
  if (!got) return std::unexpected(got.error());
  const auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  FoundSegment found{number, *size, decode_headers(std::string_view(bytes).substr(0, *got))};
  if (found.header && found.header->number != number) found.header.reset();
  return found;
}

}  // namespace

std::string segment_name(std::uint64_t number) { return name_of(kSegmentPrefix, number); }
std::string index_name(std::uint64_t number) { return name_of(kIndexPrefix, number); }
std::optional<std::uint64_t> segment_number(std::string_view name) { return number_of(kSegmentPrefix, name); }
std::optional<std::uint64_t> index_number(std::string_view name) { return number_of(kIndexPrefix, name); }

Result<std::vector<FoundSegment>> find_segments(Storage& storage) {
  const auto names = storage.list();
  if (!names) return std::unexpected(names.error());
  std::vector<FoundSegment> segments;
  for (const std::string& name : *names) {
    const auto number = segment_number(name);
    if (!number) continue;
    auto found = look_at(storage, name, *number);
    if (!found && found.error().code == Errc::not_found) continue;  // retention was here since
    if (!found) return std::unexpected(found.error());
    segments.push_back(*found);
  }
  std::ranges::sort(segments, {}, &FoundSegment::number);
  return segments;
}

Result<std::optional<Watermark>> read_watermark(StoredFile& file) {
  std::optional<Watermark> holds;
  std::string bytes(kSlotBytes, '\0');
  for (const std::uint64_t at : {std::uint64_t{0}, std::uint64_t{kSecondSlotAt}}) {
    const auto got = file.read(at, bytes);
    if (!got) return std::unexpected(got.error());
    const auto slot = decode_slot(std::string_view(bytes).substr(0, *got));
    if (slot && (!holds || slot->count >= holds->count)) holds = slot;
  }
  return holds;
}

}  // namespace rltune::telemetry
