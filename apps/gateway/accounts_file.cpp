#include "accounts_file.hpp"

#include <algorithm>
#include <format>

#include "rltune/config/document.hpp"

namespace rltune::gateway_app {

config::User find_account(const config::Site& site, const std::string& name) {
  using command::kFailed;
  const auto file = site.folder / config::file_name(config::Kind::users);
  const config::Users users = or_stop(config::load_users(file));
  const auto user = std::ranges::find(users.users, name, &config::User::name);
  if (user == users.users.end())
    command::stop(kFailed, std::format("{0} has no user '{1}'; add one and run: rltune config apply {0}",
                                       file.string(), name));
  if (!user->enabled) command::stop(kFailed, std::format("{}: '{}' is not enabled", file.string(), name));
  if (user->password_hash_file.empty())
    command::stop(kFailed, std::format("{}: '{}' has no password_hash_file, where the password's hash would go",
                                       file.string(), name));
  return *user;
}

}  // namespace rltune::gateway_app
