// What coredinator answers about the site's configuration: what is in force and was, what a change would do, changes
// themselves, and those that wait for a second person. Threads: the one that serves the bus.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "proposals.hpp"
#include "rltune/audit/recorder.hpp"
#include "rltune/bus/bus.hpp"
#include "supervisor.hpp"
#include "takeover.hpp"

namespace rltune::coredinator {

class ConfigCalls {
 public:
  // All outlive it.
  struct Parts {
    Takeover& takeover;
    Supervisor& supervisor;
    audit::Recorder& audit;
    const std::string& running;  // site.yaml as the roles hold it
    std::filesystem::path site_folder, proposals_file;
    std::function<void()> begun;  // a change is under way
  };
  ConfigCalls(const Parts& parts, const Clock& clock);

  void serve(bus::Server& server);

  Result<v1::ConfigAnswer> apply(const v1::ApplyConfigRequest& request, std::string_view correlation_id);
  Result<v1::ConfigAnswer> answer_proposal(const v1::AnswerProposalRequest& request, std::string_view correlation_id);
  v1::ProposalsAnswer proposals() { return proposals_.list(); }
  Result<v1::PlanConfigAnswer> plan(const v1::PlanConfigRequest& request) const;
  Result<v1::ConfigFilesAnswer> files(const v1::ConfigFilesRequest& request) const;
  Result<v1::ConfigVersionsAnswer> versions(const v1::ConfigVersionsRequest& request) const;

 private:
  Result<v1::ConfigAnswer> begin(const v1::ApplyConfigRequest& request, std::string_view correlation_id);
  Result<v1::ConfigAnswer> propose(const v1::ApplyConfigRequest& request, std::vector<std::string> loosens,
                                   const std::vector<std::string>& files, std::string_view correlation_id);
  void record(const std::string& actor, const std::string& action, const std::string& target, const std::string& reason,
              std::string_view correlation_id);
  std::map<std::string, std::string> lying() const;
  std::string basis() const;

  const Parts parts_;
  Proposals proposals_;
};

}  // namespace rltune::coredinator
