#include "rltune/reading/decisions.hpp"

#include <algorithm>

#include "rltune/historian/decision_log.hpp"
#include "rltune/historian/decision_words.hpp"
#include "rltune/reading/page_max.hpp"

namespace rltune::reading {
namespace {

using historian::Decision;

constexpr std::size_t kAtOnce = 500;

std::int64_t unix_ns(TimePoint time) { return time.time_since_epoch().count(); }
double microseconds(Duration duration) { return static_cast<double>(duration.count()) / 1000.0; }

void tell(const historian::DecisionOutput& output, v1::DecidedOutput& told) {
  told.set_tag(output.tag);
  if (output.present) told.set_proposed(output.proposed);
  told.set_applied(output.applied);
  told.set_action(historian::action_word(output.action));
  for (const std::string& word : historian::reason_words(output.reasons)) told.add_reasons(word);
  told.set_written(output.written);
  told.set_verified(output.verified);
  told.set_explored(output.explored);
}

void tell(const Decision& decision, v1::DecisionRecord& told) {
  told.set_id(decision.id);
  told.set_agent(decision.agent);
  told.set_correlation_id(decision.correlation_id);
  told.set_policy_sha256(decision.policy_sha256);
  told.set_origin(decision.origin);
  told.set_user(decision.user);
  told.set_reason(decision.reason);
  told.set_mode(historian::mode_word(decision.mode));
  told.set_time_unix_ns(unix_ns(decision.time));
  told.set_wall_unix_ns(unix_ns(decision.wall_time));
  told.set_learnable(decision.learnable);
  for (const historian::DecisionOutput& output : decision.outputs) tell(output, *told.add_outputs());
}

// What it saw and how long it took.
void tell_whole(const Decision& decision, v1::DecisionRecord& told) {
  tell(decision, told);
  auto& timings = *told.mutable_timings_us();
  timings["sample_to_proposal"] = microseconds(decision.sample_to_proposal);
  timings["proposal"] = microseconds(decision.proposal);
  timings["verdict"] = microseconds(decision.verdict);
  timings["sample_to_write"] = microseconds(decision.sample_to_write);
  timings["write_acknowledged"] = microseconds(decision.write_acknowledged);
  told.mutable_observation()->Assign(decision.observation.begin(), decision.observation.end());
  told.mutable_previous_inputs()->Assign(decision.previous_inputs.begin(), decision.previous_inputs.end());
  told.mutable_network_output()->Assign(decision.network_output.begin(), decision.network_output.end());
  told.mutable_recurrent_state()->Assign(decision.recurrent_state.begin(), decision.recurrent_state.end());
  for (const historian::SeenValue& seen : decision.seen) (*told.mutable_seen())[seen.tag] = seen.value;
}

// One question's way through the log.
class Page {
 public:
  Page(const v1::DecisionsRequest& request, v1::DecisionsAnswer& answer)
      : request_(request), answer_(answer), limit_(std::clamp<std::size_t>(request.limit(), 1, kPageMax)) {}

  void look_at(const Decision& decision) {
    ++looked_at_;
    if (!request_.agent().empty() && decision.agent != request_.agent()) return;
    v1::DecisionRecord& told = *answer_.add_decisions();
    tell(decision, told);
    bytes_ += told.ByteSizeLong();
  }
  bool is_full() const {
    return static_cast<std::size_t>(answer_.decisions_size()) >= limit_ || looked_at_ >= kLookedAtMax ||
           bytes_ >= kPageBytesMax;
  }

 private:
  const v1::DecisionsRequest& request_;
  v1::DecisionsAnswer& answer_;
  const std::size_t limit_;
  std::size_t looked_at_ = 0, bytes_ = 0;
};

}  // namespace

void Decisions::add_to(bus::Server& server) {
  server.handle<v1::DecisionsRequest, v1::DecisionsAnswer>(
      "records.Decisions", [this](const bus::Call&, const v1::DecisionsRequest& request, v1::DecisionsAnswer& answer) {
        return list(request, answer);
      });
  server.handle<v1::DecisionRequest, v1::DecisionRecord>(
      "records.Decision", [this](const bus::Call&, const v1::DecisionRequest& request, v1::DecisionRecord& answer) {
        return find(request, answer);
      });
}

Result<> Decisions::list(const v1::DecisionsRequest& request, v1::DecisionsAnswer& answer) const {
  if (request.from_unix_ns() > request.to_unix_ns()) return fail(Errc::invalid_argument, "`from` is after `to`");
  const TimePoint from{Duration(request.from_unix_ns())}, to{Duration(request.to_unix_ns())};
  Page page(request, answer);
  std::string after = request.after();
  while (true) {
    const auto some = historian::read_decisions(folder_, from, to, kAtOnce, after);
    if (!some && some.error().code == Errc::not_found)
      return fail(Errc::invalid_argument, "the decision that the cursor names is not in this stretch of time");
    if (!some) return std::unexpected(some.error());
    for (const Decision& decision : *some) {
      if (page.is_full()) {  // and more is there
        answer.set_next_after(after);
        return {};
      }
      page.look_at(decision);
      after = decision.id;
    }
    if (some->size() < kAtOnce) return {};
  }
}

Result<> Decisions::find(const v1::DecisionRequest& request, v1::DecisionRecord& answer) const {
  const auto decision = historian::find_decision(folder_, request.id());
  if (!decision && decision.error().code == Errc::not_found)
    return fail(Errc::not_found, "no decision of that id is on record");
  if (!decision) return std::unexpected(decision.error());
  tell_whole(*decision, answer);
  return {};
}

}  // namespace rltune::reading
