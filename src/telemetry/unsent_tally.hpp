// How many records retention has removed before every sink had taken them, exact after any crash: it is written before
// the watermark's new floor, and holds once that floor does. docs/formats/telemetry-buffer.md
#pragma once

#include <memory>
#include <optional>

#include "rltune/telemetry/storage.hpp"

namespace rltune::telemetry {

class UnsentTally {
 public:
  // What holds under this floor. A file of which nothing is whole counts from zero again. Errors: io.
  Result<> open(Storage& storage, std::uint64_t floor);
  std::uint64_t records() const noexcept { return holds_.records; }
  // Before the watermark is written with that floor. Errors: it may not be written then.
  Result<> prepare(Storage& storage, std::uint64_t floor, std::uint64_t more);
  // The watermark has been written.
  void settle() noexcept;

 private:
  struct Slot {
    std::uint64_t count = 0, floor = 0, records = 0;
  };
  static std::string encode(const Slot& slot);
  static std::optional<Slot> decode(std::string_view bytes);

  std::unique_ptr<StoredFile> file_;
  Slot holds_, next_;
  bool prepared_ = false;  // a slot of a floor that is not the watermark's may be on disk
};

}  // namespace rltune::telemetry
