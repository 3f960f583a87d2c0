#include "config_operations.hpp"

#include <format>

#include "asking.hpp"
#include "rltune/api/config.hpp"
#include "rltune/v1/config.pb.h"

namespace rltune::gateway {
namespace {

constexpr auto kChangePatience = std::chrono::seconds(15);  // a version is on the disk before it is answered

std::vector<std::string> texts(const auto& repeated) { return {repeated.begin(), repeated.end()}; }

Answer files(const v1::ConfigFilesAnswer& answered) {
  api::ConfigFiles told{.version = answered.version(), .files = {}};
  for (const auto& [name, text] : std::map<std::string, std::string>(answered.files().begin(), answered.files().end()))
    told.files.push_back({name, text});
  return answer(told);
}

Answer versions(const v1::ConfigVersionsAnswer& answered) {
  api::ConfigVersions told;
  for (const v1::ConfigVersion& version : answered.versions())
    told.versions.push_back({.version = version.id(),
                             .author = version.author(),
                             .reason = version.reason(),
                             .made = time_of(version.made_unix_ns()),
                             .files = texts(version.files())});
  return answer(told);
}

Answer plan(const v1::PlanConfigAnswer& answered) {
  api::ConfigPlan told{.file = answered.file(),
                       .faults = {},
                       .changes = {},
                       .restarts = texts(answered.restarts()),
                       .live = texts(answered.live()),
                       .loosens = texts(answered.loosens())};
  for (const v1::ConfigFault& fault : answered.faults())
    told.faults.push_back({static_cast<std::uint64_t>(std::max(fault.line(), 1)), fault.field(), fault.message()});
  for (const v1::ConfigFieldChange& change : answered.changes())
    told.changes.push_back({change.field(), change.was(), change.is()});
  return answer(told);
}

Answer state(const v1::ConfigAnswer& answered) {
  return answer(api::ConfigState{.state = answered.state(),
                                 .version = answered.version(),
                                 .reason = answered.reason(),
                                 .proposal = answered.proposal(),
                                 .restarts = texts(answered.restarts()),
                                 .live = texts(answered.live()),
                                 .loosens = texts(answered.loosens())});
}

Answer proposals(const v1::ProposalsAnswer& answered) {
  api::ConfigProposals told;
  for (const v1::ConfigProposal& proposal : answered.proposals())
    told.proposals.push_back({.id = proposal.id(),
                              .author = proposal.author(),
                              .reason = proposal.reason(),
                              .text = proposal.text(),
                              .restore = proposal.restore(),
                              .made = time_of(proposal.made_unix_ns()),
                              .ends = time_of(proposal.ends_unix_ns()),
                              .files = texts(proposal.files()),
                              .loosens = texts(proposal.loosens())});
  return answer(told);
}

bus::CallOptions to_coredinator(std::string method) { return to(std::move(method), "coredinator", kChangePatience); }

// In the caller's name: coredinator keeps what loosens a limit until a second person agrees.
v1::ApplyConfigRequest change_of(const Call& call, const std::string& reason) {
  v1::ApplyConfigRequest request;
  request.set_author(call.identity->name);
  request.set_reason(reason);
  request.set_four_eyes(true);
  request.set_may_change_users(may(call.identity->role, api::Permission::users_manage));
  return request;
}

void read_handlers(bus::Caller& caller, Handlers& handlers) {
  handlers.emplace("getConfig", [&caller](const CallPointer& call, const Done& done) {
    ask<v1::ConfigFilesAnswer>(caller, call, to_coredinator("coredinator.ConfigFiles"), v1::ConfigFilesRequest(), files,
                               done);
  });
  handlers.emplace("listConfigVersions", [&caller](const CallPointer& call, const Done& done) {
    ask<v1::ConfigVersionsAnswer>(caller, call, to_coredinator("coredinator.ConfigVersions"),
                                  v1::ConfigVersionsRequest(), versions, done);
  });
  handlers.emplace("getConfigVersion", [&caller](const CallPointer& call, const Done& done) {
    v1::ConfigFilesRequest request;
    request.set_version(call->parts[0]);
    ask<v1::ConfigFilesAnswer>(caller, call, to_coredinator("coredinator.ConfigFiles"), request, files, done);
  });
  handlers.emplace("getConfigState", [&caller](const CallPointer& call, const Done& done) {
    ask<v1::ConfigAnswer>(caller, call, to_coredinator("coredinator.Config"), v1::ConfigRequest(), state, done);
  });
  handlers.emplace("listConfigProposals", [&caller](const CallPointer& call, const Done& done) {
    ask<v1::ProposalsAnswer>(caller, call, to_coredinator("coredinator.Proposals"), v1::ProposalsRequest(), proposals,
                             done);
  });
}

void change_handlers(bus::Caller& caller, Handlers& handlers) {
  handlers.emplace(
      "planConfig",
      taking<api::ConfigText>([&caller](const CallPointer& call, const api::ConfigText& draft, const Done& done) {
        v1::PlanConfigRequest request;
        request.set_text(draft.text);
        ask<v1::PlanConfigAnswer>(caller, call, to_coredinator("coredinator.PlanConfig"), request, plan, done);
      }));
  handlers.emplace(
      "changeConfig",
      taking<api::ConfigChange>([&caller](const CallPointer& call, const api::ConfigChange& change, const Done& done) {
        v1::ApplyConfigRequest request = change_of(*call, change.reason);
        request.set_text(change.text);
        request.set_within_s(change.within_s.value_or(0.0));
        ask<v1::ConfigAnswer>(caller, call, to_coredinator("coredinator.ApplyConfig"), request, state, done);
      }));
  handlers.emplace(
      "restoreConfig", taking<api::ConfigRestore>([&caller](const CallPointer& call, const api::ConfigRestore& restore,
                                                            const Done& done) {
        v1::ApplyConfigRequest request = change_of(*call, restore.reason);
        request.set_restore(restore.version);
        ask<v1::ConfigAnswer>(caller, call, to_coredinator("coredinator.ApplyConfig"), request, state, done);
      }));
  handlers.emplace("answerConfigProposal",
                   taking<api::ProposalAnswer>(
                       [&caller](const CallPointer& call, const api::ProposalAnswer& answered, const Done& done) {
                         v1::AnswerProposalRequest request;
                         request.set_id(call->parts[0]);
                         request.set_agree(answered.verb == "agree");
                         request.set_user(call->identity->name);
                         request.set_reason(answered.reason);
                         request.set_may_change_users(may(call->identity->role, api::Permission::users_manage));
                         ask<v1::ConfigAnswer>(caller, call, to_coredinator("coredinator.AnswerProposal"), request,
                                               state, done);
                       }));
}

}  // namespace

Handlers config_handlers(bus::Caller& caller) {
  Handlers handlers;
  read_handlers(caller, handlers);
  change_handlers(caller, handlers);
  return handlers;
}

}  // namespace rltune::gateway
