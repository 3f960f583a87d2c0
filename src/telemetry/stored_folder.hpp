// What lies in the folder of a stream, as it is found there. docs/formats/telemetry-buffer.md
#pragma once

#include <optional>
#include <vector>

#include "frame.hpp"
#include "rltune/telemetry/storage.hpp"

namespace rltune::telemetry {

inline constexpr const char* kWatermarkName = "watermark";
std::string segment_name(std::uint64_t number);
std::string index_name(std::uint64_t number);
std::optional<std::uint64_t> segment_number(std::string_view name);
std::optional<std::uint64_t> index_number(std::string_view name);

struct FoundSegment {
  std::uint64_t number = 0, bytes = 0;
  std::optional<SegmentHeader> header;  // none: it was only begun, or it is damaged
};
// In the order of their numbers. Errors: io.
Result<std::vector<FoundSegment>> find_segments(Storage& storage);

// The slot that holds; none where neither is whole. Errors: io.
Result<std::optional<Watermark>> read_watermark(StoredFile& file);

}  // namespace rltune::telemetry
