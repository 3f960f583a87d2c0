// The policies that replay has at hand, by the SHA-256 that decisions name: artifacts, and the weights that a site
// stored while it learned (POLICIES/<sha256>.onnx), which act through the layouts of an artifact of their shape.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rltune/policy/policy_controller.hpp"

namespace rltune::replay {

struct Replayer {
  std::unique_ptr<policy::PolicyController> controller;
  const policy::Manifest* manifest = nullptr;
};

class PolicyShelf {
 public:
  // `weights`: folders to look for stored weights in. Errors: those of load_artifact().
  static Result<PolicyShelf> open(const std::vector<std::filesystem::path>& artifacts,
                                  std::vector<std::filesystem::path> weights);

  // One more. Errors: those of load_artifact(); the shelf is what it was then.
  Result<> add(const std::filesystem::path& artifact);

  // Errors: not_found; corrupt (the file's bytes are not what its name says); mismatch (no artifact of that shape).
  Result<Replayer*> find(const std::string& sha256);

 private:
  Result<Replayer> load(const std::string& sha256) const;

  std::vector<std::unique_ptr<policy::Artifact>> artifacts_;
  std::vector<std::filesystem::path> weights_;
  std::map<std::string, Result<Replayer>> known_;
};

}  // namespace rltune::replay
