// The Guard stands between whoever proposes and the plant. io calls it before every write; nothing gets
// past it. Pure: values and time in, verdict out; no I/O, no clock of its own.
//
// Which rule goes first where they conflict:
//   1. link down, or the DCS has the output: nothing is written.
//   2. an interlock: its safe value, at once, whatever rates and run times say. A shared budget keeps room for it.
//   3. limits: nothing outside is ever written; from a live value outside them the first write is the nearest limit.
//   4. shared budgets: nothing is raised beyond what is left of the limit when every other output holds the most that
//      the plant may have of it. When they want more than there is, an output that has more than its part by priority
//      goes down, also while it is held or its agent is silent, as fast as 5 and 6 let it; until then the others wait.
//      An output that somebody else has, or whose owner has not decided since the mode changed, keeps what it holds.
//      One that cannot be read lets no other rise.
//   5. minimum on and off times, starts per hour: the last value is held.
//   6. rates: a change a second and a change a decision. They hold across every change of mode, owner, fallback,
//      manual write and restart: the base is what the plant holds, and a pause longer than the agent's period
//      earns no larger change.
// A value may pass a rate by 1e-9 of the limits' width, so that a policy's own rounding is no breach.
//
// Threads: one Guard belongs to io's loop. Memory: create() allocates, decide() does not. Never throws.
// Fail closed: an input that is bad, stale or not finite counts as a tripped interlock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/base/sample.hpp"
#include "rltune/base/time.hpp"
#include "rltune/config/site.hpp"

namespace rltune::guard {

// Who writes the outputs. ISA-88: manual and automatic; shadow and advisory compute without writing.
enum class Mode : std::uint8_t { manual, shadow, advisory, automatic };

enum class Action : std::uint8_t {
  accepted,  // applied as proposed
  clamped,   // applied after a limit or rate changed it
  held,      // the last applied value stays
  fallback,  // the fallback controller's value is applied
  withheld   // not written at all: mode, ownership, or the DCS took the output
};

// Why, as a set of bits; one word an output, so that decide() allocates nothing.
enum class Reason : std::uint32_t {
  none = 0,
  limit_low = 1U << 0,
  limit_high = 1U << 1,
  rate = 1U << 2,
  not_finite = 1U << 3,
  minimum_on_time = 1U << 4,
  minimum_off_time = 1U << 5,
  starts_per_hour = 1U << 6,
  interlock = 1U << 7,
  bad_input = 1U << 8,
  stale_input = 1U << 9,
  agent_lost = 1U << 10,
  mode = 1U << 11,
  not_owner = 1U << 12,
  dcs_took_over = 1U << 13,
  link_down = 1U << 14,
  late = 1U << 15,
  policy_fault = 1U << 16,
  budget = 1U << 17  // what it shares with other outputs is used up
};

inline constexpr std::size_t kReasonCount = 18;

struct OutputVerdict {
  Action action = Action::withheld;
  std::uint32_t reasons = 0;  // Reason bits
  double value = 0.0;         // what to write; for withheld the live value
};

// A proposal for one output by one owner.
struct OutputProposal {
  double value = 0.0;
  bool present = false;  // false: nobody proposed in time
};

struct GuardInput {
  TimePoint now{};                            // plant or wall clock, as the site says
  std::span<const Sample> tags;               // latest sample of every tag of the site, by tag index
  std::span<const OutputProposal> proposals;  // by output
  std::span<const OutputProposal> fallback;   // the fallback controller's, by output
  std::uint32_t agent = 0;                    // who proposes: index into the site's agents
  bool agent_alive = false;
  bool link_up = false;
  // Nobody decides now: tripped interlocks have their verdicts, every other output stays as it is.
  bool interlocks_only = false;
};

class Guard {
 public:
  // Errors: invalid_argument with the field's path (an interlock that does not compile, an unknown tag).
  static Result<Guard> create(const config::Site& site);
  ~Guard();
  Guard(Guard&&) noexcept;
  Guard& operator=(Guard&&) noexcept;

  std::size_t outputs() const noexcept;                       // writable set-points of the site, in its order
  std::size_t output_tag(std::size_t output) const noexcept;  // index into the site's tags
  void set_mode(Mode mode) noexcept;                          // on entering automatic outputs start from live values
  Mode mode() const noexcept;
  // The memory of a guard that has ruled the same site by other rules: what every output holds and since when, who is
  // silent, the mode. What agents wanted of shared budgets is forgotten until each decides again.
  // REQUIRES: the same tags, set-points and agents.
  void take_over(const Guard& before) noexcept;
  // A person's value for one output: limits, rates, run times and interlocks hold. In automatic mode an output
  // that an agent owns is refused (mode, not_owner): there are never two writers.
  OutputVerdict decide_manual(std::size_t output, double value, const GuardInput& input) noexcept;
  // One verdict an output, and the guard's memory of what was applied and when. Outputs of other agents come back
  // withheld (not_owner), unless an interlock trips: that concerns every output in automatic mode, whoever asks.
  // REQUIRES: verdicts.size() == outputs(); tags, proposals and fallback are full or empty.
  void decide(const GuardInput& input, std::span<OutputVerdict> verdicts) noexcept;
  // What the plant really has after the write (read back): the base of later rate limits. Until it is told, the
  // guard takes into account that the write may have been lost.
  void applied(std::size_t output, double value, TimePoint time) noexcept;

 private:
  struct State;
  explicit Guard(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// "limit_high, rate"; empty for none.
std::string describe(std::uint32_t reasons);
// The words of site.yaml; "auto" is automatic. Errors: invalid_argument, listing them.
Result<Mode> parse_mode(const std::string& word);
const char* to_string(Action action) noexcept;
const char* to_string(Mode mode) noexcept;

}  // namespace rltune::guard
