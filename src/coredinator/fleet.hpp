// The agents of a site and their versions at work: keeps the registry, lets each agent's rollout move its versions on,
// says which roles that takes and where calls go, and tells io which instance's proposals count.
//
// The order of a switch: the registry commits it, io is told, calls follow. Whatever is killed on the way, the next
// turn starts from the registry and tells everybody again. Threads: one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "artifact_store.hpp"
#include "registry.hpp"
#include "rltune/audit/recorder.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/config/site.hpp"
#include "rltune/coredinator/coredinator.hpp"
#include "rltune/v1/control.pb.h"
#include "rollout.hpp"
#include "routes.hpp"
#include "supervisor.hpp"

namespace rltune::coredinator {

class Fleet {
 public:
  // Errors: those of the registry; a damaged one is put aside for its copy.
  static Result<std::unique_ptr<Fleet>> open(const config::Site& site, const Options& options, const Clock& clock,
                                             bus::Client io, audit::Recorder& audit);

  // Every role that should be there now.
  std::vector<Planned> wanted() const;
  Result<std::string> route(const bus::Call& call) const { return routes_.find(call.target, call.correlation_id); }
  // True once after wanted() has changed.
  bool take_change() noexcept { return std::exchange(changed_, false); }

  bool waits_for_io() const noexcept { return !asked_io_.empty(); }
  // Never waits.
  void turn(const Supervisor& supervisor, Duration now);

  // What the bus asks.
  Result<> describe(const v1::AgentsRequest& request, const Supervisor& supervisor, v1::AgentsAnswer& answer) const;
  Result<> deploy(const v1::DeployRequest& request);
  Result<> order(const v1::AgentOrder& order);
  Result<> order(const v1::VersionOrder& order);
  v1::AgentInfo describe(const AgentRecord& agent, const v1::RolesAnswer& roles) const;
  const AgentRecord* find(const std::string& agent) const noexcept;

 private:
  struct InForce {  // as io last said
    std::string instance;
    std::uint64_t epoch = 0;
    bool operator==(const InForce&) const = default;
  };

  Fleet(const config::Site& site, const Options& options, const Clock& clock, bus::Client io, Registry registry,
        audit::Recorder& audit);

  Result<> begin();
  void check_artifacts();
  void check_active(const std::string& agent);
  bool check_artifact(const std::string& agent, const Version& version);
  Result<> reload();
  void record(const std::string& action, const std::string& agent, const std::string& version, const Author& author,
              const std::string& because = {}) const;
  void record_route(const AgentRecord& agent) const;
  Result<> commit(const std::string& agent, const std::vector<Transition>& transitions, const Author& author);
  InForce meant(const AgentRecord& agent) const;
  void talk_to_io(Duration now);
  void hear_io(const std::string& bytes, Duration now);
  bool activate_one();
  void put_epoch_right(const AgentRecord& agent, const InForce& there);
  std::map<std::string, Sight> look(const AgentRecord& agent, const v1::RolesAnswer& roles, Duration now);
  bool lost_artifact(const AgentRecord& agent, const std::map<std::string, Sight>& seen);
  bool in_progress() const noexcept;
  // `agent`: index into the site's.
  bool evaluated(const config::Agent& agent, const Version& version) const;
  Evaluation evaluation(std::size_t agent, const Version& version) const;
  void look_at_evaluation(std::size_t agent, const Version& version, const v1::RolesAnswer& roles, Sight& sight) const;
  Deployed deployed(const AgentRecord& agent, const Version& version) const;

  const config::Site& site_;
  Options options_;
  const bool collects_;  // logs and figures
  const Clock& clock_;
  Registry registry_;
  ArtifactStore store_;
  std::vector<AgentRecord> agents_;
  std::map<std::string, Rollout> rollouts_;
  Routes routes_;
  bool changed_ = true;

  audit::Recorder& audit_;

  bus::Client io_;
  std::string asked_io_;  // the method in flight
  Duration next_question_{};
  bool io_answers_ = false;
  bool news_ = false;  // reports_ came since the rollouts looked at them
  std::map<std::string, InForce> in_force_;
  std::map<std::string, v1::InstanceReport> reports_;  // by instance
  std::map<std::string, Duration> unattached_since_;   // by instance
  std::map<std::string, std::uint64_t> ends_;          // of its process, by instance, as last seen
};

}  // namespace rltune::coredinator
