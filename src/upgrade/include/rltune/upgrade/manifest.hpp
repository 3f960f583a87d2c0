// What a bundle holds, signed: docs/formats/bundle.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/upgrade/format.hpp"

namespace rltune::upgrade {

struct BundleFile {
  std::string path;
  bool program = false;
  std::uint64_t size = 0;
  std::string sha256;
};

struct Manifest {
  std::string version, architecture;
  std::string created;  // RFC 3339
  std::string key;      // public, hexadecimal
  std::vector<Format> formats;
  std::vector<BundleFile> files;
};

inline constexpr std::size_t kManifestBytesMax = 1 << 20;

std::string encode(const Manifest& manifest);
// Errors: parse, saying what is wrong.
Result<Manifest> decode_manifest(std::string_view json);

// Debian's name of this machine's architecture: "amd64".
std::string own_architecture();

}  // namespace rltune::upgrade
