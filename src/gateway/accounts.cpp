#include "accounts.hpp"

namespace rltune::gateway {

Accounts::Accounts(const std::filesystem::path& site_folder) : folder_(site_folder), followed_(site_folder) { turn(); }

bool Accounts::turn() {
  if (!followed_.turn()) return false;
  auto directory = std::make_shared<Directory>();
  directory->sign_in = followed_.value().sign_in;
  directory->all = followed_.value().users;
  const auto absolute = [&](const std::filesystem::path& file) {
    return file.empty() ? std::filesystem::path() : folder_ / file;
  };
  directory->oauth = followed_.value().oauth;
  if (directory->oauth) {
    directory->oauth->client_secret_file = absolute(directory->oauth->client_secret_file);
    directory->oauth->ca_file = absolute(directory->oauth->ca_file);
  }
  for (const config::User& user : followed_.value().users) {
    const auto role = api::parse_role(user.role);
    if (!role || !user.enabled) continue;
    directory->accounts.emplace(user.name, AccountFacts{.name = user.name,
                                                        .full_name = user.full_name,
                                                        .role = *role,
                                                        .password_hash_file = absolute(user.password_hash_file),
                                                        .totp_secret_file = absolute(user.totp_secret_file)});
  }
  const std::scoped_lock lock(mutex_);
  directory_ = std::move(directory);
  return true;
}

std::shared_ptr<const Accounts::Directory> Accounts::directory() const {
  const std::scoped_lock lock(mutex_);
  return directory_;
}

std::optional<AccountFacts> Accounts::find(std::string_view name) const {
  const auto now = directory();
  const auto found = now->accounts.find(name);
  if (found == now->accounts.end()) return std::nullopt;
  return found->second;
}

std::vector<config::User> Accounts::all() const { return directory()->all; }

config::SignIn Accounts::sign_in() const { return directory()->sign_in; }

std::optional<config::OAuth> Accounts::oauth() const { return directory()->oauth; }

}  // namespace rltune::gateway
