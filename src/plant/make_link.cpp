#include "rltune/plant/make_link.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <format>

#include "rltune/base/file.hpp"
#include "rltune/plant/opcua_link.hpp"

namespace rltune::plant {
namespace {

Result<std::string> password_from_file(const std::filesystem::path& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return fail(Errc::not_found, "there is no password file " + file.string());
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return fail(Errc::denied, std::format("{} can be read by others; make it yours alone: chmod 600 {}", file.string(),
                                          file.string()));
  auto text = read_file(file);
  if (!text) return text;
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  return text;
}

Result<std::string> password_of(const config::Link& link, const std::filesystem::path& folder) {
  if (link.user.empty()) return std::string();
  if (!link.password_file.empty()) return password_from_file(folder / link.password_file);
  if (link.password_env.empty())
    return fail(Errc::not_found, std::format("link: user '{}' needs a password_file or a password_env", link.user));
  const char* value = std::getenv(link.password_env.c_str());
  if (value == nullptr)
    return fail(Errc::not_found,
                std::format("link: the environment variable {} with the password is not set", link.password_env));
  return std::string(value);
}

}  // namespace

Result<OpcuaOptions> opcua_options(const config::Link& link, const std::filesystem::path& folder) {
  auto password = password_of(link, folder);
  if (!password) return std::unexpected(password.error());
  return OpcuaOptions{.url = link.url,
                      .security = link.security,
                      .allow_insecure = link.allow_insecure,
                      .server_application_uri = link.server_application_uri,
                      .application_uri = {},
                      .pki = link.pki.empty() ? link.pki : folder / link.pki,
                      .user = link.user,
                      .password = std::move(*password),
                      .publishing_interval = from_seconds(link.publishing_interval_ms / 1e3),
                      .sampling_interval = from_seconds(link.sampling_interval_ms / 1e3),
                      .inactivity_timeout = from_seconds(link.inactivity_timeout_s),
                      .call_timeout = from_seconds(link.call_timeout_s),
                      .reconnect_min = from_seconds(link.reconnect_min_s),
                      .reconnect_max = from_seconds(link.reconnect_max_s)};
}

Result<std::unique_ptr<PlantLink>> make_link(const config::Link& link, const std::filesystem::path& folder) {
  if (link.protocol != "opcua")
    return fail(Errc::unsupported, std::format("link: protocol '{}' is not one of opcua", link.protocol));
  auto options = opcua_options(link, folder);
  if (!options) return std::unexpected(options.error());
  return std::make_unique<OpcuaLink>(std::move(*options));
}

}  // namespace rltune::plant
