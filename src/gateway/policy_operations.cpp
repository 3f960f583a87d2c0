#include "policy_operations.hpp"

#include <cmath>

#include "asking.hpp"
#include "rltune/api/policies.hpp"
#include "rltune/v1/library.pb.h"

namespace rltune::gateway {
namespace {

using namespace std::chrono_literals;

constexpr auto kPoliciesPatience = 30'000ms;  // each is read and hashed

bus::CallOptions to_policies(std::string method) {
  return to(std::move(method), "coredinator.records", kPoliciesPatience);
}

api::PolicyBrief policy_of(const v1::PolicyInfo& told) {
  api::PolicyBrief policy{.name = told.name(),
                          .plant = told.plant(),
                          .environment = told.environment(),
                          .algorithm = told.algorithm(),
                          .passed = told.passed(),
                          .deployed = told.deployed(),
                          .seed = told.seed(),
                          .steps = told.steps(),
                          .folders = {told.folders().begin(), told.folders().end()},
                          .agents = {told.agents().begin(), told.agents().end()}};
  if (!told.sha256().empty()) policy.sha256 = told.sha256();
  if (!told.trouble().empty()) policy.trouble = told.trouble();
  if (const auto created = parse_rfc3339(told.created())) policy.created = *created;
  return policy;
}

std::map<std::string, double> finite(const google::protobuf::Map<std::string, double>& figures) {
  std::map<std::string, double> told(figures.begin(), figures.end());
  std::erase_if(told, [](const auto& figure) { return !std::isfinite(figure.second); });
  return told;
}

std::map<std::string, std::string> texts(const google::protobuf::Map<std::string, std::string>& map) {
  return {map.begin(), map.end()};
}

Answer policies(const v1::PoliciesAnswer& answered) {
  api::PolicyList list{.policies = {}, .left_out = answered.left_out()};
  for (const v1::PolicyInfo& policy : answered.policies()) list.policies.push_back(policy_of(policy));
  return answer(list);
}

Answer policy(const v1::PolicyAnswer& answered) {
  api::PolicyWhole whole{.policy = policy_of(answered.policy()),
                         .plant_parameters_sha256 = answered.plant_parameters_sha256(),
                         .engine = answered.engine(),
                         .sample_period_s = answered.sample_period_s(),
                         .recurrent_state = answered.recurrent_state(),
                         .discrete_actions = answered.discrete_actions(),
                         .plant_overrides = finite(answered.plant_overrides()),
                         .observation = {},
                         .action = {},
                         .layers = {},
                         .hyperparameters = texts(answered.hyperparameters()),
                         .provenance = texts(answered.provenance()),
                         .files = texts(answered.files()),
                         .validation = {.passed = answered.policy().passed(),
                                        .reasons = {answered.reasons().begin(), answered.reasons().end()},
                                        .figures = finite(answered.figures())}};
  for (const v1::PolicyFeature& feature : answered.observation())
    whole.observation.push_back({feature.name(), feature.unit(), feature.source(), feature.lead()});
  for (const v1::PolicyOutput& output : answered.action())
    whole.action.push_back(
        {output.input(), output.unit(), output.kind(), output.low(), output.high(), output.step_max()});
  for (const v1::PolicyLayer& layer : answered.layers())
    whole.layers.push_back({layer.kind(), layer.activation(), layer.inputs(), layer.outputs()});
  return answer(whole);
}

}  // namespace

Handlers policy_handlers(const Reading& reading) {
  Handlers handlers;
  handlers.emplace("listPolicies", [reading](const CallPointer& call, const Done& done) {
    ask_for_much<v1::PoliciesAnswer>(reading.caller, reading.workers, call, to_policies("records.Policies"),
                                     v1::PoliciesRequest(), policies, done);
  });
  handlers.emplace("getPolicy", [reading](const CallPointer& call, const Done& done) {
    v1::PolicyRequest request;
    request.set_sha256(call->parts[0]);
    ask_for_much<v1::PolicyAnswer>(reading.caller, reading.workers, call, to_policies("records.Policy"), request,
                                   policy, done);
  });
  return handlers;
}

}  // namespace rltune::gateway
