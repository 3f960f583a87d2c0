// The versions of a pilot site's agent, asked and ordered over the bus, and calls to the agent beside them.
#pragma once

#include <atomic>
#include <mutex>
#include <set>

#include "pilot_site.hpp"
#include "rltune/v1/supervision.pb.h"

namespace rltune::testing {

// What an ordinary policy keeps, and one that jumps through all that it may ask for does not.
inline std::string stepping_rule(const std::string& tag, double low, double high) {
  return whole_range(tag, low, high) + std::format("      step_max: {}\n", 0.05 * (high - low));
}

// On the wall clock, a decision every 0.1 s, sensors with noise: something to decide at every step.
inline PilotOptions versions_options(const std::string& mode = "auto") {
  return {.lockstep = false,
          .period_s = 0.1,
          .mode = mode,
          .rule = stepping_rule,
          .twin_arguments = {"--observation-noise", "0.05"}};
}

// Calls to the agent by its id, one after the other, from a thread of its own.
class CallLoad {
 public:
  explicit CallLoad(const std::string& run_folder, std::chrono::milliseconds pause = std::chrono::milliseconds(1))
      : thread_([this, pause, endpoint = bus::call_endpoint(run_folder, "coredinator")] {
          auto client = bus::Client::connect(endpoint);
          for (std::uint64_t i = 0; client && !stop_; ++i) {
            const auto answer = client->call<v1::HealthAnswer>("agent.Health", "climate", v1::HealthRequest(),
                                                               std::chrono::seconds(2), "call-" + std::to_string(i));
            ++(answer ? answered : failed);
            if (!answer) first_error = first_error.empty() ? answer.error().message : first_error;
            if (answer) {
              const std::lock_guard lock(mutex_);
              pids_.insert(answer->pid());
            }
            std::this_thread::sleep_for(pause);
          }
        }) {}
  ~CallLoad() { stop(); }
  void stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  std::set<pid_t> pids() {
    const std::lock_guard lock(mutex_);
    return pids_;
  }
  std::atomic<std::uint64_t> answered{0}, failed{0};
  std::string first_error;  // to be read after stop()

 private:
  std::mutex mutex_;
  std::set<pid_t> pids_;  // of the instances that answered
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

class SiteVersions {
 public:
  explicit SiteVersions(PilotSite& site) : site_(site) {}

  // A new artifact's folder.
  std::string artifact(const std::string& name, std::uint64_t seed,
                       const std::function<void(policy::Artifact&)>& change = {},
                       const std::string& plant = "lettuce") {
    policy::Artifact made = pilot_artifact(seed, true, plant);
    if (change) change(made);
    EXPECT_TRUE(policy::save_artifact(site_.path(name), made));
    return site_.path(name);
  }
  // In half a second through shadow, without canary, on probation for ten minutes.
  static v1::Traffic quick_traffic() {
    v1::Traffic traffic;
    traffic.set_shadow_s(0.5);
    traffic.set_shadow_proposals(5);
    traffic.set_canary_s(0.5);
    traffic.set_probation_s(600.0);
    traffic.set_memory_max_mib(1024.0);
    return traffic;
  }
  Result<v1::AgentInfo> deploy(const std::string& folder, const std::string& version, const v1::Traffic& traffic) {
    v1::DeployRequest request;
    request.set_agent("climate");
    request.set_version(version);
    request.set_folder(folder);
    *request.mutable_traffic() = traffic;
    return site_.ask<v1::AgentInfo>("coredinator", "coredinator.Deploy", request, std::chrono::seconds(10));
  }
  Result<v1::AgentInfo> order(const std::string& verb, const std::string& version) {
    v1::VersionOrder order;
    order.set_agent("climate");
    order.set_verb(verb);
    order.set_version(version);
    return site_.ask<v1::AgentInfo>("coredinator", "coredinator.OrderVersion", order);
  }
  v1::AgentInfo agent() {
    v1::AgentsRequest request;
    request.set_agent("climate");
    const auto answer = site_.ask<v1::AgentsAnswer>("coredinator", "coredinator.Agents", request);
    return answer && answer->agents_size() == 1 ? answer->agents(0) : v1::AgentInfo();
  }
  v1::VersionInfo version(const std::string& name) {
    const v1::AgentInfo info = agent();
    for (const v1::VersionInfo& one : info.versions())
      if (one.version() == name) return one;
    return {};
  }
  bool reaches(const std::string& name, const std::string& state,
               std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    return PilotSite::eventually([&] { return version(name).state() == state; }, limit);
  }
  // It is active, io has confirmed it, and it answers.
  bool acts(const std::string& name, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    return PilotSite::eventually(
        [&] {
          const v1::AgentInfo info = agent();
          return info.active() == name && info.in_force() && version(name).instance().state() == "healthy";
        },
        limit);
  }
  pid_t pid(const std::string& name) { return version(name).instance().pid(); }
  v1::InstanceReport report(const std::string& version) {
    const auto all = site_.ask<v1::InstancesAnswer>("io", "io.Instances", v1::InstancesRequest());
    if (all)
      for (const v1::InstanceReport& one : all->instances())
        if (one.instance() == "agent.climate@" + version) return one;
    return {};
  }

 private:
  PilotSite& site_;
};

}  // namespace rltune::testing
