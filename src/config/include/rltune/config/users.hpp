// users.yaml: who may do what, and how they sign in. Secrets are elsewhere: the file names them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::config {

// Who comes in by `rltune user break-glass`: no user of the file has that name.
inline constexpr std::string_view kBreakGlassUser = "break-glass";

struct User {
  std::string name;
  std::string full_name;
  // viewer | operator | engineer | admin: each may what those before it may; service: another program
  std::string role = "viewer";
  bool enabled = true;
  std::filesystem::path password_hash_file;  // argon2id; none where oauth signs the user in
  std::filesystem::path totp_secret_file;    // of the second factor; none where there is none
};

struct SignIn {
  double session_hours = 12.0;
  std::size_t attempts_max = 5;
  double lockout_minutes = 15.0;
};

struct OAuth {
  std::string issuer;  // https://...
  std::string client_id;
  std::filesystem::path client_secret_file;  // or client_secret_env
  std::string client_secret_env;
  std::string user_claim = "preferred_username";  // claim that holds a user's name
  std::string scopes = "openid profile email";
  std::string public_url;                 // https://host:port, as browsers reach the gateway; empty: this host alone
  std::filesystem::path ca_file;          // PEM, for a provider of one's own; empty: the host's
  std::vector<std::string> required_acr;  // one of these has to be the token's `acr`; empty: any will do
  std::vector<std::string> required_amr;  // each of these has to be in the token's `amr`

  friend bool operator==(const OAuth&, const OAuth&) = default;
};

struct Users {
  std::string schema = "rltune/users/v1";
  std::vector<User> users;
  SignIn sign_in;
  std::optional<OAuth> oauth;
};

// Strict, as load_site().
Result<Users> load_users(const std::filesystem::path& file);

}  // namespace rltune::config
