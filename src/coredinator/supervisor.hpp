// The Supervisor decides what should happen to each role, from what the keeper and the roles report. Pure:
// events and time in, actions out; coredinator carries them out.
//
//   stopped -> starting -> healthy <-> unhealthy        a role that answers, well or not
//                  \          \           /
//                   +----------+-> backoff -> starting  died, or hung and killed: at once the first time
//                   +-> failed                          refused to run (exit 2): starting again would not help; or
//                        \-> starting                   died too often: tried again after a long wait
//   stopped -> running -> done | failed                 a role that does its work and ends
//   any -> stopped                                      no longer wanted: drained, asked to stop, forgotten when gone
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan.hpp"
#include "rltune/base/backoff.hpp"
#include "rltune/base/time.hpp"

namespace rltune::coredinator {

struct Policy {
  Duration start_limit = std::chrono::seconds(60);     // without a first answer: hung
  Duration silence_limit = std::chrono::seconds(5);    // without a further answer: hung
  Duration healthy_window = std::chrono::seconds(30);  // after which a death counts as the first again
  Duration backoff_first = std::chrono::milliseconds(100);
  Duration backoff_max = std::chrono::seconds(10);
  Duration spawn_answer_limit = std::chrono::seconds(5);
  // Restart intensity, as OTP has it: more deaths within the window escalate. A role that dies at once gets there in
  // half a minute; one that is killed now and then does not.
  int deaths_max = 10;
  Duration deaths_window = std::chrono::seconds(60);
  Duration failed_wait = std::chrono::minutes(5);
  Duration once_limit = std::chrono::minutes(15);  // of a role that does its work and ends
  Duration drain = std::chrono::seconds(2);        // what a role that nobody wants has to answer what it was asked
};

struct Action {
  enum class Kind : std::uint8_t { spawn, stop, kill, give_up };
  Kind kind;
  std::string role;
  std::string reason;
};

class Supervisor {
 public:
  explicit Supervisor(std::vector<Planned> roles, const Policy& policy = {});

  // These roles from now on, and no others.
  void want(std::vector<Planned> roles, Duration now);

  // A person says that this agent is to run: what has failed of it is tried again at once.
  void try_again(const std::string& agent);

  // From the keeper. Times are a steady clock's.
  void adopt(const v1::Children& children, Duration now);
  void started(const v1::ChildStarted& child, Duration now);
  void refused(const v1::SpawnRefused& refusal, Duration now);
  void exited(const v1::ChildExited& child, Duration now);
  void stopping() { stopping_ = true; }
  // Asked to stop and started again, also where it failed before; no death of its own.
  void restart(const std::string& role);
  // While a change is tried, a role that refuses it ends nothing.
  void forgive(bool forgives) noexcept { forgives_ = forgives; }
  // From the roles.
  void answered(const std::string& role, const v1::HealthAnswer& health, Duration now);

  // What to do now; each action is given once.
  std::vector<Action> due(Duration now);

  bool running(const std::string& role) const;
  bool settled() const;  // every role has answered since its start
  v1::RolesAnswer roles() const;
  // With those that are on their way out.
  const std::vector<Planned>& planned() const noexcept { return planned_; }

 private:
  struct Role {
    std::string state = "stopped";
    std::string reason;
    std::int32_t pid = 0;
    std::uint64_t restarts = 0;
    std::int64_t started_unix_ns = 0;
    Duration started_at{}, answered_at{}, restart_at{};
    std::deque<Duration> deaths;        // within the window
    std::optional<Duration> retry_at;   // failed, and not for good
    std::optional<Duration> leaves_at;  // not wanted: asked to stop from then on
    bool stop_asked = false;
    bool again = false;                // to be stopped for a new start
    std::optional<Duration> asked_at;  // spawn asked, not yet answered
    bool answered = false;             // since its start
    bool answered_ever = false;
    bool killed = false;  // by us, waiting for its end
    bool once = false;
    Duration limit{};  // of what is done once; 0: the policy's
    Backoff backoff;
  };

  void keep_or_stop(const Planned& planned, Duration now);
  void forget_what_left();
  Role* find(const std::string& name);
  void begin(Role& role, std::int32_t pid, std::int64_t started_unix_ns, Duration now);
  void end(const std::string& name, Role& role, const std::string& how, Duration now);
  bool died_too_often(Role& role, Duration now) const;
  void escalate(const std::string& name, Role& role, Duration now);
  bool ready_to_spawn(const Planned& planned, const Role& role, Duration now) const;
  bool hung(const Role& role, Duration now) const;

  std::vector<Planned> planned_;
  Policy policy_;
  std::map<std::string, Role> roles_;
  std::vector<Action> actions_;
  bool stopping_ = false;
  bool forgives_ = false;
};

}  // namespace rltune::coredinator
