// A Rollout decides when the versions of one agent move on, and when one is rolled back. Pure: what the registry says,
// what is seen of the instances and the time in, transitions out; coredinator commits them.
//
// A candidate that dies, hangs, refuses, is too slow, computes what is no number or what the guard would change more
// often than the active one's, is rolled back, whatever stage it is in. The active one is judged the same way as long
// as its predecessor stands by, and then that one takes over. Neither waits for anything.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"
#include "version.hpp"

namespace rltune::coredinator {

// What is seen of the instance of one version.
struct Sight {
  enum class Evaluation { none, running, passed, failed };
  bool refused = false;                      // it exited because it cannot work
  Evaluation evaluation = Evaluation::none;  // on the twin, where one was asked for
  std::string evaluated;                     // what that found
  std::uint64_t restarts = 0;                // of its process
  std::string reason;                        // of the last end, or of its trouble
  bool attached = false;                     // to io
  Duration unattached{};                     // how long io, which answers, has been waiting for it
  bool validated = false;
  std::uint64_t proposals = 0, faults = 0, interventions = 0;
  Duration latency{};  // half of its proposals are faster
  Duration quiet{};    // since its last proposal
  double resident_mib = 0.0;
  // Of the rewards earned while it was in charge, as means over ten periods each.
  struct {
    std::uint64_t batches = 0;
    double mean = 0.0, squares = 0.0;  // squares: of the deviations from the mean, summed
  } reward;
};

struct Limits {
  Duration attach = std::chrono::seconds(10);  // how long io waits for it to attach
  double quiet_periods = 3.0;                  // without a proposal: it hangs
  Duration quiet_least = std::chrono::seconds(1);
  Duration latency = std::chrono::seconds(1);  // where none was asked for, or half of the period
  std::uint64_t judged_from = 10;              // proposals; fewer say nothing about interventions or latency
  std::uint64_t rewards_from = 10;             // batches of rewards, of both
  double interventions_more = 0.25;            // share of the proposals, above the other version's
};

class Rollout {
 public:
  explicit Rollout(Duration period, const Limits& limits = {}) : period_(period), limits_(limits) {}

  // By version. What is due now; call it again after it was committed.
  std::vector<Transition> due(const AgentRecord& agent, const std::map<std::string, Sight>& seen, Duration now);

 private:
  struct Stage {
    VersionState state;
    std::uint32_t step;
    Duration since;
    Sight base;  // as it was when that was decided
  };
  Sight base_of(const std::string& version, const std::map<std::string, Sight>& seen) const;
  void note_stages(const AgentRecord& agent, const std::map<std::string, Sight>& seen, Duration now);
  // Why it must not go on; nothing when all is well.
  std::optional<std::string> trouble(const Version& version, const Sight& now, const Sight* other, Duration time) const;
  std::optional<std::string> guard_trouble(const Stage& stage, const Sight& now, const Sight* other) const;
  std::optional<std::string> speed_trouble(const Version& version, const Sight& now) const;
  std::optional<std::string> reward_trouble(const Version& version, const Sight& now, const Sight* other) const;
  std::vector<Transition> advance(const AgentRecord& agent, const Version& candidate, const Sight& sight,
                                  Duration now) const;

  Duration period_;
  Limits limits_;
  std::map<std::string, Stage> stages_;
  std::map<std::string, Sight> before_;  // as they were when the last transitions were decided
};

// What a person asks for. Errors: denied, with what can be done instead; not_found.
Result<std::vector<Transition>> promote(const AgentRecord& agent, const std::string& version);
// The last change is undone, whatever runs: the predecessor of the active version takes over, or, where there is none
// on stand-by and a candidate is in test, that is withdrawn; otherwise the version that was active before.
Result<std::vector<Transition>> roll_back(const AgentRecord& agent);
// This version must not act or be tested any more.
Result<std::vector<Transition>> roll_back(const AgentRecord& agent, const std::string& version);

}  // namespace rltune::coredinator
