#include "endpoint.hpp"

#include <unistd.h>

#include <filesystem>
#include <format>

#include "rltune/base/sha256.hpp"
#include "rltune/bus/bus.hpp"

namespace rltune::bus {
namespace {

constexpr std::size_t kSocketPathMax = 107;  // sockaddr_un::sun_path less its zero
constexpr std::string_view kIpc = "ipc://";

std::string socket_path(const std::string& run_folder, std::string_view file) {
  const std::filesystem::path folder = (std::filesystem::absolute(run_folder) / "").lexically_normal();
  std::string path = folder / file;
  if (path.size() <= kSocketPathMax) return path;
  return std::format("/tmp/rltune-{}-{}/{}", ::getuid(), sha256(folder.native()).substr(0, 16), file);
}

}  // namespace

std::string call_endpoint(const std::string& run_folder, std::string_view role) {
  return std::string(kIpc) + socket_path(run_folder, std::format("{}.sock", role));
}

std::string event_endpoint(const std::string& run_folder, std::string_view role) {
  return std::string(kIpc) + socket_path(run_folder, std::format("{}.events.sock", role));
}

Result<std::string> path_of(const std::string& endpoint) {
  if (!endpoint.starts_with(kIpc)) return fail(Errc::invalid_argument, endpoint + ": want ipc://PATH");
  std::string path = endpoint.substr(kIpc.size());
  if (path.empty() || path.size() > kSocketPathMax)
    return fail(Errc::invalid_argument,
                std::format("{}: a Unix socket's path has at most {} bytes; choose a shorter run folder", endpoint,
                            kSocketPathMax));
  return path;
}

Result<std::string> prepared_path_of(const std::string& endpoint) {
  auto path = path_of(endpoint);
  if (!path) return path;
  const std::filesystem::path folder = std::filesystem::path(*path).parent_path();
  std::error_code code;
  if (folder.empty() || std::filesystem::exists(folder, code)) return path;
  std::filesystem::create_directories(folder, code);
  if (!code) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, code);
  if (code) return fail(Errc::io, std::format("cannot create {}: {}", folder.string(), code.message()));
  return path;
}

}  // namespace rltune::bus
