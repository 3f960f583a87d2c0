// The weights that ever acted or may act on a site, by content: data/policies/<sha256>.onnx, kept as long as
// a decision may name them; and which of them an agent acts by, so that it goes on with them after a crash.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "rltune/base/error.hpp"
#include "rltune/config/site.hpp"
#include "rltune/nn/policy_network.hpp"
#include "rltune/policy/artifact.hpp"

namespace rltune::agent {

class PolicyStore {
 public:
  explicit PolicyStore(std::filesystem::path folder) : folder_(std::move(folder)) {}
  static PolicyStore of(const config::Site& site);

  // Durable. Returns the SHA-256. Writing what is there already does nothing.
  Result<std::string> put(std::string_view onnx) const;
  // Errors: not_found, corrupt (its bytes are not what its name says: they are put aside), parse.
  Result<nn::NetworkDescription> get(const std::string& sha256) const;

  // The policy in a folder of the site, of which a copy is kept for the instance; where the disk has damaged it, the
  // copy of the one that was last whole. Errors: those of load_artifact().
  Result<policy::Artifact> load(const std::string& instance, const std::filesystem::path& folder) const;

  // What the agent acts by, as long as its artifact is the same one. Nothing when that was never noted, or
  // cannot be read: then it is put aside.
  std::optional<std::string> active(const std::string& agent, const std::string& artifact_sha256) const;
  Result<> set_active(const std::string& agent, const std::string& artifact_sha256, const std::string& sha256) const;

 private:
  static void keep(const std::filesystem::path& folder, const std::filesystem::path& copy);
  std::filesystem::path file_of(const std::string& sha256) const { return folder_ / (sha256 + ".onnx"); }

  std::filesystem::path folder_;
};

}  // namespace rltune::agent
