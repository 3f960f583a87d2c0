// Who may sign in, as users.yaml says: followed while it changes. A file that cannot be used changes nothing; without
// one nobody has an account.
//
// Threads: find() any, turn() one.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/api/permission.hpp"
#include "rltune/config/followed.hpp"
#include "rltune/config/users.hpp"

namespace rltune::gateway {

struct AccountFacts {
  std::string name, full_name;
  api::Role role = api::Role::viewer;
  std::filesystem::path password_hash_file, totp_secret_file;  // absolute; empty: none
};

// Who comes in by a sealed secret (break_glass.hpp). No user of the file has its name.
inline AccountFacts break_glass_account() {
  return {.name = std::string(config::kBreakGlassUser), .full_name = "In an emergency", .role = api::Role::admin};
}

class Accounts {
 public:
  explicit Accounts(const std::filesystem::path& site_folder);

  // True: the file has changed.
  bool turn();
  // nullopt: there is none of that name, or it is not enabled.
  std::optional<AccountFacts> find(std::string_view name) const;
  // Also those that are not enabled, in the file's order.
  std::vector<config::User> all() const;
  config::SignIn sign_in() const;
  // Its files are absolute.
  std::optional<config::OAuth> oauth() const;

 private:
  struct Directory {
    std::map<std::string, AccountFacts, std::less<>> accounts;
    std::vector<config::User> all;
    config::SignIn sign_in;
    std::optional<config::OAuth> oauth;
  };
  std::shared_ptr<const Directory> directory() const;

  std::filesystem::path folder_;
  config::Followed<config::Users> followed_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Directory> directory_ = std::make_shared<Directory>();
};

}  // namespace rltune::gateway
