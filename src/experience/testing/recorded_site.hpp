// The site of the sample in a folder of its own, with a reward: somewhere to put records.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "sample_artifact.hpp"
#include "site_of_sample.hpp"

namespace rltune::experience {

class RecordedSite {
 public:
  RecordedSite() {
    std::string pattern = (std::filesystem::temp_directory_path() / "rltune-records-XXXXXX").string();
    site.folder = ::mkdtemp(pattern.data());
    config::Learning& learning = site.agents[0].learning;
    learning.enabled = true;
    learning.reward = "air_temperature - previous(air_temperature)";
    learning.costs = {{"heat", "0.01 * heating"}};
    artifact.sha256 = "the artifact's";
  }
  ~RecordedSite() { std::filesystem::remove_all(site.folder); }
  RecordedSite(const RecordedSite&) = delete;
  RecordedSite& operator=(const RecordedSite&) = delete;
  std::filesystem::path data() const { return site.folder / site.storage.folder; }

  config::Site site = site_of_sample();
  policy::Artifact artifact = policy::sample_artifact();  // heating absolute in [0, 150], vents increments of 0.1
};

}  // namespace rltune::experience
