#include "tar.hpp"

#include <charconv>
#include <format>
#include <numeric>

#include "rltune/base/check.hpp"

namespace rltune::upgrade {
namespace {

constexpr std::size_t kSizeAt = 124, kSizeDigits = 11, kChecksumAt = 148;

}  // namespace

std::string tar_header(std::string_view name, std::uint64_t size, bool program) {
  RLTUNE_CHECK(!name.empty() && name.size() <= kTarNameMax && size < (1ULL << 33));
  std::string header(kTarBlock, '\0');
  const auto put = [&](std::size_t at, std::string_view text) { header.replace(at, text.size(), text); };
  put(0, name);
  put(100, program ? "0000755" : "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(kSizeAt, std::format("{:011o}", size));
  put(136, "00000000000");
  put(kChecksumAt, "        ");
  put(156, "0");
  put(257, "ustar");
  put(263, "00");
  put(265, "root");
  put(297, "root");
  put(329, "0000000");
  put(337, "0000000");
  const auto sum = std::accumulate(header.begin(), header.end(), 0U,
                                   [](unsigned so_far, char c) { return so_far + static_cast<unsigned char>(c); });
  put(kChecksumAt, std::format("{:06o}", sum));
  header[kChecksumAt + 6] = '\0';
  return header;
}

std::optional<std::uint64_t> tar_size(std::string_view header, std::string_view name, bool program) {
  if (header.size() != kTarBlock) return std::nullopt;
  std::uint64_t size = 0;
  const char* const digits = header.data() + kSizeAt;
  const auto [end, code] = std::from_chars(digits, digits + kSizeDigits, size, 8);
  if (code != std::errc{} || end != digits + kSizeDigits) return std::nullopt;
  if (header != tar_header(name, size, program)) return std::nullopt;
  return size;
}

std::size_t tar_padding(std::uint64_t size) noexcept { return (kTarBlock - size % kTarBlock) % kTarBlock; }

}  // namespace rltune::upgrade
