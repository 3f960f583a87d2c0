// An executable that is a role of a site, started by `rltune up` with --site, and serves nouns of the command line as
// well.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "rltune/base/error.hpp"

namespace rltune::command {

struct SiteRole {
  std::string name, about;
  std::function<Result<>(const std::filesystem::path& site, const std::filesystem::path& run_folder)> run;
};

// What a role is started with; anything else is a command's.
bool is_site_role(int argc, char** argv);
// Until it ends; returns the status to exit with: 1 for what the disk or the system refused, which may work a moment
// later, 2 for what stays wrong.
int run_site_role(const SiteRole& role, int argc, char** argv);

}  // namespace rltune::command
