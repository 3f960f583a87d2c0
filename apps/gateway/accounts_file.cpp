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
    command::stop(kFailed,
                  std::format("{0} has no user '{1}'; add one and run: rltune config apply {0}", file.string(), name));
  if (!user->enabled) command::stop(kFailed, std::format("{}: '{}' is not enabled", file.string(), name));
  if (user->password_hash_file.empty())
    command::stop(kFailed, std::format("{}: '{}' has no password_hash_file, where the password's hash would go",
                                       file.string(), name));
  return *user;
}

Result<std::filesystem::path> access_folder(const config::Site& site) {
  auto folder = site.folder / site.storage.folder / "access";
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (!failed) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, failed);
  if (failed) return fail(Errc::io, std::format("{} cannot be made: {}", folder.string(), failed.message()));
  return folder;
}

}  // namespace rltune::gateway_app
