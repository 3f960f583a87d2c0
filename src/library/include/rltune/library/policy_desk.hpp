// The policies that a site has, as others ask for them: those in its folder, those that its agents have by site.yaml
// and those of deployed versions. One network is one policy, wherever it lies.
//
// Threads: belongs to the thread of the server that it is added to. Every question reads the folders anew.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/v1/library.pb.h"

namespace rltune::library {

inline constexpr std::size_t kPoliciesMax = 500;  // folders that are read; one takes about a millisecond

struct PolicySources {
  std::filesystem::path site;                           // its folder, below which folders are told
  std::filesystem::path policies;                       // holds one folder a policy; may be missing
  std::filesystem::path deployed;                       // the same, of the agents' versions
  std::map<std::string, std::filesystem::path> agents;  // by id: the policy that site.yaml names
};

class PolicyDesk {
 public:
  explicit PolicyDesk(PolicySources sources) : sources_(std::move(sources)) {}

  void add_to(bus::Server& server);
  void list(v1::PoliciesAnswer& answer) const;
  // Errors: not_found.
  Result<> tell(const v1::PolicyRequest& request, v1::PolicyAnswer& answer) const;

 private:
  struct Place {
    std::filesystem::path folder;
    std::vector<std::string> agents;
    bool deployed = false;
  };
  std::vector<Place> places() const;
  void add(const Place& place, v1::PolicyInfo& info) const;
  std::string shown(const std::filesystem::path& folder) const;

  PolicySources sources_;
};

}  // namespace rltune::library
