// The one form of a ustar member that bundles have: docs/formats/bundle.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rltune::upgrade {

inline constexpr std::size_t kTarBlock = 512;
inline constexpr std::size_t kTarNameMax = 100;

// REQUIRES: the name has 1 to kTarNameMax bytes, the size is less than 8 GiB.
std::string tar_header(std::string_view name, std::uint64_t size, bool program);
// The size that a header of kTarBlock bytes names; nothing where it is no such header of this name.
std::optional<std::uint64_t> tar_size(std::string_view header, std::string_view name, bool program);
// Zeros between the content and the next header.
std::size_t tar_padding(std::uint64_t size) noexcept;

}  // namespace rltune::upgrade
