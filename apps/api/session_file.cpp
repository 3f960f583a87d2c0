#include "session_file.hpp"

#include <cstdlib>
#include <format>
#include <nlohmann/json.hpp>

#include "rltune/base/file.hpp"
#include "rltune/base/secret.hpp"

namespace rltune::api_app {

std::filesystem::path default_session_file() {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  const std::filesystem::path base = state != nullptr && *state != '\0'
                                         ? std::filesystem::path(state)
                                         : std::filesystem::path(home == nullptr ? "." : home) / ".local/state";
  return base / "rltune" / "session.json";
}

Result<Session> read_session(const std::filesystem::path& file) {
  const auto text = read_secret_file(file);
  if (!text) return std::unexpected(text.error());
  if (!*text)
    return fail(Errc::not_found, std::format("{} is not there: sign in first, with rltune api login", file.string()));
  const auto told = nlohmann::json::parse(**text, nullptr, false);
  if (!told.is_object()) return fail(Errc::parse, file.string() + " is no session: sign in again");
  return Session{
      .gateway = told.value("gateway", ""),
      .ca_file = told.value("ca_file", ""),
      .tokens = {.access_token = told.value("access_token", ""), .refresh_token = told.value("refresh_token", "")}};
}

Result<> write_session(const std::filesystem::path& file, const Session& session) {
  const nlohmann::ordered_json told{{"gateway", session.gateway},
                                    {"ca_file", session.ca_file.string()},
                                    {"access_token", session.tokens.access_token},
                                    {"refresh_token", session.tokens.refresh_token}};
  std::error_code failed;
  std::filesystem::create_directories(file.parent_path(), failed);
  if (failed)
    return fail(Errc::io, std::format("{} cannot be made: {}", file.parent_path().string(), failed.message()));
  return write_secret_file(file, told.dump(2) + "\n");
}

}  // namespace rltune::api_app
