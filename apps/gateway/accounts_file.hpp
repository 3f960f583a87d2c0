// What the verbs of `rltune user` share: the site's file, and an account of users.yaml beside it.
#pragma once

#include <filesystem>
#include <string>

#include "command.hpp"
#include "rltune/config/site.hpp"
#include "rltune/config/users.hpp"

namespace rltune::gateway_app {

template <typename T>
T or_stop(Result<T> result) {
  if (!result) command::stop(result.error());
  return std::move(*result);
}

// One that is enabled and has a file for its password's hash. Throws Exit after saying what is missing.
config::User find_account(const config::Site& site, const std::string& name);

// <storage>/access, for its owner alone; made where there is none.
Result<std::filesystem::path> access_folder(const config::Site& site);

}  // namespace rltune::gateway_app
