#include "unsent_tally.hpp"

#include <array>

#include "frame.hpp"

namespace rltune::telemetry {
namespace {

constexpr const char* kUnsentName = "unsent";
constexpr std::string_view kUnsentMagic = "RLTUNSNT";

std::uint64_t place_of(std::uint64_t count) { return count % 2 == 0 ? 0 : kSecondSlotAt; }

}  // namespace

std::string UnsentTally::encode(const Slot& slot) {
  return encode_numbers(kUnsentMagic, {slot.count, slot.floor, slot.records});
}

std::optional<UnsentTally::Slot> UnsentTally::decode(std::string_view bytes) {
  const auto numbers = decode_numbers(kUnsentMagic, bytes);
  if (!numbers) return std::nullopt;
  return Slot{(*numbers)[0], (*numbers)[1], (*numbers)[2]};
}

Result<> UnsentTally::open(Storage& storage, std::uint64_t floor) {
  auto file = storage.open(kUnsentName);
  if (!file && file.error().code == Errc::not_found) return {};
  if (!file) return std::unexpected(file.error());
  file_ = std::move(*file);
  std::string bytes(kSlotBytes, '\0');
  for (const std::uint64_t at : {std::uint64_t{0}, std::uint64_t{kSecondSlotAt}}) {
    const auto got = file_->read(at, bytes);
    if (!got) return std::unexpected(got.error());
    const auto slot = decode(std::string_view(bytes).substr(0, *got));
    if (slot && slot->floor > floor)
      prepared_ = true;
    else if (slot && slot->count > holds_.count)
      holds_ = *slot;
  }
  return {};
}

Result<> UnsentTally::prepare(Storage& storage, std::uint64_t floor, std::uint64_t more) {
  next_ = holds_;
  if (more == 0 && !prepared_) return {};
  if (!file_) {
    auto file = storage.open(kUnsentName);
    if (!file && file.error().code == Errc::not_found) file = storage.create(kUnsentName);
    if (!file) return std::unexpected(file.error());
    if (auto done = storage.sync(); !done) return done;
    file_ = std::move(*file);
  }
  next_ = {holds_.count + 1, floor, holds_.records + more};
  prepared_ = true;
  if (auto done = file_->write(place_of(next_.count), encode(next_)); !done) return done;
  return file_->sync();
}

void UnsentTally::settle() noexcept {
  holds_ = next_;
  prepared_ = false;
}

}  // namespace rltune::telemetry
