// Records that a receiver refused for good, kept for a person: docs/formats/telemetry-forward.md. Internal.
//
// Threads: one.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "rltune/base/append_file.hpp"
#include "rltune/base/time.hpp"
#include "rltune/forward/batch.hpp"

namespace rltune::forward {

class DeadLetters {
 public:
  DeadLetters(const std::filesystem::path& folder, std::uint64_t bytes_max);

  // Durable when it returns. Errors: io, no_space; then none of them is there.
  Result<> add(const Batch& batch, const Outcome& outcome, TimePoint now);
  std::uint64_t dropped() const noexcept { return dropped_; }  // lines that found no room any more

 private:
  Result<> open();
  Result<> rotate();

  std::filesystem::path file_;
  std::uint64_t bytes_max_;
  std::optional<AppendFile> open_;
  std::uint64_t dropped_ = 0;
};

}  // namespace rltune::forward
