// A bundle is one signed file with everything that a host without a network needs to run a version:
// docs/formats/bundle.md.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>

#include "rltune/audit/head.hpp"
#include "rltune/base/error.hpp"
#include "rltune/upgrade/manifest.hpp"

namespace rltune::upgrade {

// Makes the key pair that signs bundles: the secret in `file`, for its owner alone, and FILE.pub, whose content is
// returned. Errors: invalid_argument (the file is there), io.
Result<std::string> make_key(const std::filesystem::path& file);

// Packs every file of a folder, in the order of their paths. `about` gives version, architecture, time and formats.
// Errors: invalid_argument (a path that a bundle may not have, a needed program is missing), io, no_space.
Result<Manifest> pack(const std::filesystem::path& folder, Manifest about, const audit::SigningKey& key,
                      const std::filesystem::path& out);

struct Bundle {
  std::filesystem::path file;
  Manifest manifest;
  std::string manifest_bytes, signature;
};
// The manifest, signed by one of the `keys` and for this machine. The files are not looked at.
// Errors: not_found, io, corrupt (not a bundle, cut, changed), denied (no key of ours signed it), unsupported
// (another architecture).
Result<Bundle> open_bundle(const std::filesystem::path& file, std::span<const std::string> keys);

// Called with each file's path before it is read.
using OnFile = std::function<void(const std::string& path)>;
// Every byte to the end. Errors: corrupt, io.
Result<> verify(const Bundle& bundle, const OnFile& on_file = {});
// The same, and everything into a folder that is not there yet; what was written is on disk when it returns well.
Result<> unpack(const Bundle& bundle, const std::filesystem::path& folder, const OnFile& on_file = {});

// What was unpacked is there and whole. Errors: corrupt, naming the file; those of open_bundle().
Result<Manifest> verify_unpacked(const std::filesystem::path& folder, std::span<const std::string> keys);
// Its manifest as it stands, unverified. Errors: not_found, parse.
Result<Manifest> read_manifest(const std::filesystem::path& folder);

}  // namespace rltune::upgrade
