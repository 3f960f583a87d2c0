#include "announcement.hpp"

#include <sys/random.h>

#include <array>
#include <format>
#include <nlohmann/json.hpp>

#include "rltune/base/check.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/secret.hpp"

namespace rltune::collector {
namespace {

std::string new_token() {
  std::array<unsigned char, 32> bytes{};
  RLTUNE_CHECK(::getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  std::string token;
  for (const unsigned char byte : bytes) token += std::format("{:02x}", byte);
  return token;
}

}  // namespace

Result<std::string> token_of(const std::filesystem::path& site_folder, const config::Collect& collect) {
  if (collect.token_file.empty()) return new_token();
  auto token = find_secret("telemetry-token", site_folder / collect.token_file);
  if (!token) return std::unexpected(token.error());
  if (!*token || (*token)->empty())
    return fail(Errc::not_found, std::format("telemetry.yaml: collect.token_file: {} holds no token",
                                             (site_folder / collect.token_file).string()));
  return **token;
}

Result<Announcement> Announcement::make(const std::filesystem::path& run_folder, std::uint16_t port,
                                        const std::string& token) {
  const auto file = run_folder / "telemetry.json";
  const nlohmann::json told{{"url", std::format("http://127.0.0.1:{}", port)}, {"token", token}};
  if (auto done = write_secret_file(file, told.dump() + "\n"); !done) return std::unexpected(done.error());
  return Announcement(file);
}

Announcement::~Announcement() {
  std::error_code code;
  if (!file_.empty()) std::filesystem::remove(file_, code);
}

}  // namespace rltune::collector
