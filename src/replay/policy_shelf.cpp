#include "rltune/replay/policy_shelf.hpp"

#include <format>

#include "rltune/base/file.hpp"
#include "rltune/base/sha256.hpp"

namespace rltune::replay {
namespace {

Result<Replayer> make_replayer(const policy::Artifact& artifact, const policy::Manifest& manifest) {
  auto controller = policy::PolicyController::create(artifact);
  if (!controller) return std::unexpected(controller.error());
  return Replayer{std::move(*controller), &manifest};
}

bool is_sha256(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

Result<PolicyShelf> PolicyShelf::open(const std::vector<std::filesystem::path>& artifacts,
                                      std::vector<std::filesystem::path> weights) {
  PolicyShelf shelf;
  shelf.weights_ = std::move(weights);
  for (const std::filesystem::path& folder : artifacts)
    if (auto added = shelf.add(folder); !added) return std::unexpected(added.error());
  return shelf;
}

Result<> PolicyShelf::add(const std::filesystem::path& artifact) {
  auto loaded = policy::load_artifact(artifact);
  if (!loaded) return std::unexpected(loaded.error());
  artifacts_.push_back(std::make_unique<policy::Artifact>(std::move(*loaded)));
  weights_.push_back(artifact);
  return {};
}

Result<Replayer*> PolicyShelf::find(const std::string& sha256) {
  auto known = known_.find(sha256);
  if (known == known_.end()) known = known_.emplace(sha256, load(sha256)).first;
  if (!known->second) return std::unexpected(known->second.error());
  return &*known->second;
}

Result<Replayer> PolicyShelf::load(const std::string& sha256) const {
  for (const auto& artifact : artifacts_)
    if (artifact->sha256 == sha256) return make_replayer(*artifact, artifact->manifest);
  if (!is_sha256(sha256)) return fail(Errc::not_found, std::format("'{}' is not the SHA-256 of a policy", sha256));
  for (const std::filesystem::path& folder : weights_) {
    const std::filesystem::path file = folder / (sha256 + ".onnx");
    if (!std::filesystem::exists(file)) continue;
    const auto bytes = read_file(file);
    if (!bytes) return std::unexpected(bytes.error());
    if (rltune::sha256(*bytes) != sha256)
      return fail(Errc::corrupt, std::format("{}: its SHA-256 is not its name", file.string()));
    auto network = nn::from_onnx(*bytes);
    if (!network) return std::unexpected(network.error());
    for (const auto& artifact : artifacts_) {
      if (network->mean.size() != artifact->manifest.observation.size() ||
          network->layers.back().outputs != artifact->manifest.action.size())
        continue;
      policy::Artifact changed{artifact->manifest, std::move(*network), sha256};
      return make_replayer(changed, artifact->manifest);
    }
    return fail(Errc::mismatch, std::format("{}: no policy at hand has its shape", file.string()));
  }
  return fail(Errc::not_found,
              std::format("policy {} is none of those at hand, and its weights are not stored", sha256));
}

}  // namespace rltune::replay
