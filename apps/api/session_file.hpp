// Where a sign-in is kept between two commands: a file that only its owner may read.
#pragma once

#include <filesystem>
#include <string>

#include "rltune/client/client.hpp"

namespace rltune::api_app {

struct Session {
  std::string gateway;            // "https://localhost:8443"
  std::filesystem::path ca_file;  // empty: the host's
  client::Tokens tokens;
};

// $XDG_STATE_HOME/rltune/session.json, or below ~/.local/state.
std::filesystem::path default_session_file();

// Errors: not_found, denied (others may read it), parse.
Result<Session> read_session(const std::filesystem::path& file);
Result<> write_session(const std::filesystem::path& file, const Session& session);

}  // namespace rltune::api_app
