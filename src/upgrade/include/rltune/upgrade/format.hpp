// The data formats of a site, by name and version: what a version of the product reads and writes, what lies in a
// site's folder, and whether a change of programs has a way back.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::upgrade {

struct Format {
  std::string name;
  int reads_from = 1, reads_to = 1;  // versions, both included
  int writes = 1;                    // 0: people write it
  bool operator==(const Format&) const = default;
};

// Those of the programs that this is.
std::vector<Format> own_formats();

struct Present {
  std::string name;
  int version = 1;
  std::filesystem::path file;  // one of those that have it
};
// What the configuration and the data of a site have now. Errors: those of its files.
Result<std::vector<Present>> formats_of_site(const std::filesystem::path& site_file);

// Errors: unsupported, naming the first file that programs with `formats` do not read, and what to do.
Result<> can_read(std::span<const Format> formats, const std::string& version, std::span<const Present> present);
// Errors: unsupported, where `next` writes what `now` does not read.
Result<> has_way_back(std::span<const Format> next, const std::string& next_version, std::span<const Format> now,
                      const std::string& now_version);

}  // namespace rltune::upgrade
