#include "policy_store.hpp"

#include <format>

#include "rltune/base/file.hpp"
#include "rltune/base/sha256.hpp"

namespace rltune::agent {

PolicyStore PolicyStore::of(const config::Site& site) {
  return PolicyStore(site.folder / site.storage.folder / "policies");
}

Result<std::string> PolicyStore::put(std::string_view onnx) const {
  std::string sha = sha256(onnx);
  if (auto stored = sha256_file(file_of(sha)); stored && *stored == sha) return sha;
  if (auto written = write_file(file_of(sha), onnx); !written) return std::unexpected(written.error());
  return sha;
}

Result<nn::NetworkDescription> PolicyStore::get(const std::string& sha) const {
  auto bytes = read_file(file_of(sha));
  if (!bytes) return std::unexpected(bytes.error());
  if (sha256(*bytes) != sha)
    return fail(Errc::corrupt, file_of(sha).string() + " is damaged: its hash is not its name");
  return nn::from_onnx(*bytes);
}

std::optional<std::string> PolicyStore::active(const std::string& agent, const std::string& artifact_sha256) const {
  const auto text = read_file(folder_ / (agent + ".active"));
  const std::string start = artifact_sha256 + " ";
  if (!text || !text->starts_with(start)) return std::nullopt;
  return text->substr(start.size());
}

Result<> PolicyStore::set_active(const std::string& agent, const std::string& artifact_sha256,
                                 const std::string& sha) const {
  return write_file(folder_ / (agent + ".active"), artifact_sha256 + " " + sha);
}

}  // namespace rltune::agent
