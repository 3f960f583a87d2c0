// Where a forwarder is, durably: docs/formats/telemetry-forward.md. Internal.
//
// Threads: one.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "rltune/telemetry/record_source.hpp"
#include "rltune/telemetry/storage.hpp"

namespace rltune::forward {

struct Place {
  std::uint64_t delivered = 0;
  std::optional<telemetry::SequenceRange> under_way;
  bool operator==(const Place&) const = default;
};

class Progress {
 public:
  static constexpr std::size_t kSlotBytes = 80, kSlotApart = 4096;
  // Whatever the file holds; at the beginning where nothing of this buffer does. Errors: io, no_space; denied: another
  // process has the folder.
  static Result<Progress> open(const std::filesystem::path& folder, const std::string& buffer_id);

  const Place& place() const noexcept { return place_; }
  bool begins_anew() const noexcept { return anew_; }  // there was something, and none of it holds
  // Durable when it returns. Errors: io, no_space; the place before holds.
  Result<> move_to(const Place& place);

 private:
  Progress(std::unique_ptr<telemetry::Storage> storage, std::unique_ptr<telemetry::StoredFile> file,
           std::string buffer_id)
      : storage_(std::move(storage)), file_(std::move(file)), buffer_id_(std::move(buffer_id)) {}
  Result<> load();

  std::unique_ptr<telemetry::Storage> storage_;
  std::unique_ptr<telemetry::StoredFile> file_;
  std::string buffer_id_;
  Place place_;
  std::uint64_t count_ = 0;
  bool anew_ = false;
};

// For the fuzzer. Nothing where it is no slot; `buffer_id` is what stands there.
struct Slot {
  Place place;
  std::uint64_t count = 0;
  std::string buffer_id;
};
std::optional<Slot> parse_slot(std::string_view bytes);
std::string to_bytes(const Slot& slot);

}  // namespace rltune::forward
