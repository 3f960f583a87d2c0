#include "decision_operations.hpp"

#include <cmath>

#include "asking.hpp"
#include "page.hpp"
#include "rltune/api/decisions.hpp"
#include "rltune/v1/history.pb.h"

namespace rltune::gateway {
namespace {

constexpr const char* kLog = "io.records";

std::optional<double> finite(double value) { return std::isfinite(value) ? std::optional(value) : std::nullopt; }

template <typename Numbers>
std::vector<std::optional<double>> list_of(const Numbers& numbers) {
  std::vector<std::optional<double>> list;
  for (const auto number : numbers) list.push_back(finite(static_cast<double>(number)));
  return list;
}

api::DecidedOutput output_of(const v1::DecidedOutput& told) {
  api::DecidedOutput output{.tag = told.tag(),
                            .action = told.action(),
                            .proposed = std::nullopt,
                            .applied = finite(told.applied()),
                            .explored = std::nullopt,
                            .reasons = {told.reasons().begin(), told.reasons().end()},
                            .written = told.written(),
                            .verified = told.verified()};
  if (told.has_proposed()) output.proposed = finite(told.proposed());
  if (told.explored() != 0.0) output.explored = finite(told.explored());
  return output;
}

api::DecisionInfo decision_of(const v1::DecisionRecord& record) {
  api::DecisionInfo decision{.id = record.id(),
                             .agent = record.agent(),
                             .mode = record.mode(),
                             .origin = record.origin(),
                             .user = record.user(),
                             .reason = record.reason(),
                             .policy_sha256 = record.policy_sha256(),
                             .correlation_id = record.correlation_id(),
                             .time = TimePoint(Duration(record.time_unix_ns())),
                             .wall_time = TimePoint(Duration(record.wall_unix_ns())),
                             .learnable = record.learnable(),
                             .outputs = {}};
  for (const v1::DecidedOutput& output : record.outputs()) decision.outputs.push_back(output_of(output));
  return decision;
}

Answer whole(const v1::DecisionRecord& record) {
  api::DecisionWhole told{.decision = decision_of(record),
                          .observation = list_of(record.observation()),
                          .previous_inputs = list_of(record.previous_inputs()),
                          .network_output = list_of(record.network_output()),
                          .recurrent_state = list_of(record.recurrent_state()),
                          .seen = {},
                          .timings_us = {}};
  for (const auto& [tag, value] : record.seen())
    if (std::isfinite(value)) told.seen[tag] = value;
  for (const auto& [name, value] : record.timings_us()) told.timings_us[name] = value;
  return answer(told);
}

Answer replayed(const v1::ReplayAnswer& answered) {
  api::ReplayReport report{
      .id = answered.id(), .outcome = answered.outcome(), .reason = answered.reason(), .differences = {}};
  for (const v1::ReplayDifference& difference : answered.differences())
    report.differences.push_back({difference.what(), difference.recorded(), difference.computed()});
  return answer(report);
}

void list(const Reading& reading, const CallPointer& call, const std::string& agent, const Page& page,
          const Done& done) {
  v1::DecisionsRequest request;
  request.set_from_unix_ns(page.from.time_since_epoch().count());
  request.set_to_unix_ns(page.to.time_since_epoch().count());
  request.set_agent(agent);
  request.set_limit(page.limit);
  request.set_after(page.after);
  const auto told = [page](const v1::DecisionsAnswer& reply) {
    api::DecisionList list;
    for (const v1::DecisionRecord& record : reply.decisions()) list.decisions.push_back(decision_of(record));
    if (!reply.next_after().empty())
      list.next = cursor_of({.from = page.from, .to = page.to, .limit = page.limit, .after = reply.next_after()});
    return answer(list);
  };
  ask_for_much<v1::DecisionsAnswer>(reading.caller, reading.workers, call, to("records.Decisions", kLog), request, told,
                                    done);
}

template <typename Request>
Request request_of(const CallPointer& call) {
  Request request;
  request.set_id(call->parts[0]);
  return request;
}

}  // namespace

Handlers decision_handlers(const Reading& reading, const TellRead& tell_read) {
  const auto record = [tell_read](const CallPointer& call, const std::string& action, const std::string& target) {
    tell_read({call->identity->name, action, target, call->correlation_id});
  };
  Handlers handlers;
  handlers.emplace("listDecisions", paging<api::DecisionsQuery>(
                                        reading.clock, [reading, record](const CallPointer& call, const auto& query,
                                                                         const Page& page, const Done& done) {
                                          const std::string agent = query.agent.value_or("");
                                          if (page.after.empty()) record(call, "decisions.show", agent);
                                          list(reading, call, agent, page, done);
                                        }));
  handlers.emplace("getDecision", [reading, record](const CallPointer& call, const Done& done) {
    record(call, "decisions.show", call->parts[0]);
    ask<v1::DecisionRecord>(reading.caller, call, to("records.Decision", kLog), request_of<v1::DecisionRequest>(call),
                            whole, done);
  });
  handlers.emplace("replayDecision", [reading, record](const CallPointer& call, const Done& done) {
    record(call, "decisions.replay", call->parts[0]);
    ask<v1::ReplayAnswer>(reading.caller, call, to("records.Replay", "coredinator.records"),
                          request_of<v1::ReplayRequest>(call), replayed, done);
  });
  return handlers;
}

}  // namespace rltune::gateway
