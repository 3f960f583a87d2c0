// Outside bytes as a segment, as its headers and as a watermark. Frames that verify are put between them, so that the
// bytes reach what stands behind the checksums: of those, whatever is around them, a reader gives what was written.
#include <cstdlib>
#include <cstring>

#include "segment_cursor.hpp"

namespace {

class Bytes final : public rltune::telemetry::StoredFile {
 public:
  explicit Bytes(std::string bytes) : bytes_(std::move(bytes)) {}
  rltune::Result<> write(std::uint64_t, std::string_view) override { return {}; }
  rltune::Result<> sync() override { return {}; }
  rltune::Result<std::size_t> read(std::uint64_t offset, std::span<char> into) override {
    return offset < bytes_.size() ? bytes_.copy(into.data(), into.size(), offset) : 0;
  }
  rltune::Result<std::uint64_t> size() override { return bytes_.size(); }

 private:
  std::string bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune::telemetry;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  (void)decode_slot(bytes);
  (void)decode_headers(bytes);
  const std::uint64_t salt = 0x5A17BEEF12345678U;
  std::string segment(kFramesAt, '\0');
  segment += bytes;
  append_frame(segment, salt, {1, 2, bytes});
  segment += bytes.substr(0, bytes.size() / 2);
  append_frame(segment, salt, {2, 2, "after"});
  Bytes file(std::move(segment));
  SegmentCursor cursor(file, salt);
  int found = 0;
  for (auto frame = cursor.next(); frame && *frame; frame = cursor.next()) {
    found += (*frame)->sequence == 1 && (*frame)->payload == bytes ? 1 : 0;
    found += (*frame)->sequence == 2 && (*frame)->payload == "after" ? 1 : 0;
  }
  if (found < 2) std::abort();
  return 0;
}
