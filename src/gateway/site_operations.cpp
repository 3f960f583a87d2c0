#include "site_operations.hpp"

#include <cmath>

#include "asking.hpp"
#include "rltune/api/site.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/version.hpp"
#include "rltune/v1/control.pb.h"
#include "rltune/v1/supervision.pb.h"

namespace rltune::gateway {
namespace {

using namespace std::chrono_literals;

constexpr auto kWritePatience = 15'000ms;  // a write is read back from the plant

api::SiteInfo about(const config::Site& site) {
  api::SiteInfo info{.name = site.name,
                     .version = std::string(version()),
                     .clock = site.clock == config::ClockKind::wall ? "wall" : "plant",
                     .time = {},
                     .tags = site.tags.size(),
                     .agents = {}};
  for (const config::Agent& agent : site.agents) info.agents.push_back(agent.id);
  return info;
}

Answer roles(const v1::RolesAnswer& answered) {
  api::RoleList list;
  for (const v1::RoleState& role : answered.roles())
    list.roles.push_back({.name = role.name(),
                          .state = role.state(),
                          .reason = role.reason(),
                          .restarts = role.restarts(),
                          .started = time_of(role.started_unix_ns())});
  return answer(list);
}

Answer plant(const v1::IoStatusAnswer& answered) {
  api::PlantState state{.link_state = answered.link_state(),
                        .link_reason = answered.link_reason(),
                        .mode = answered.mode(),
                        .agent_state = answered.agent_state(),
                        .trouble = answered.trouble(),
                        .reconnects = answered.reconnects(),
                        .decisions = answered.decisions(),
                        .samples = answered.samples()};
  for (const auto& [name, count] : answered.verdicts()) state.verdicts[name] = count;
  for (const auto& [name, value] : answered.latency_us())
    if (std::isfinite(value)) state.latency_us[name] = value;
  return answer(state);
}

Answer mode(const v1::ModeAnswer& answered) {
  return answer(api::ModeState{.mode = answered.mode(), .refused = answered.refused()});
}

Answer set_point(const v1::WriteAnswer& answered) {
  const v1::OutputVerdict& verdict = answered.verdict();
  api::SetPointAnswer told{
      .tag = verdict.tag(), .asked = verdict.proposed(), .written = verdict.written(), .verified = answered.verified()};
  if (std::isfinite(verdict.applied())) told.applied = verdict.applied();
  return answer(told);
}

api::AgentState agent_state(const v1::AgentInfo& info) {
  api::AgentState agent{
      .id = info.id(), .active = info.active(), .running = info.running(), .in_force = info.in_force()};
  for (const v1::VersionInfo& version : info.versions())
    agent.versions.push_back({.version = version.version(),
                              .state = version.state(),
                              .reason = version.reason(),
                              .paused = version.paused(),
                              .canary_percent = version.canary_percent(),
                              .created = time_of(version.created_unix_ns()),
                              .changed = time_of(version.changed_unix_ns())});
  return agent;
}

Answer agent(const v1::AgentInfo& answered) { return answer(agent_state(answered)); }

Answer health(const v1::HealthAnswer& answered) {
  return answer(api::AgentHealth{.healthy = answered.healthy(), .reason = answered.reason()});
}

// One that is stopped or does not answer is not healthy: that is an answer too.
Answer health_of(const Result<std::string>& answered) {
  if (answered) {
    v1::HealthAnswer told;
    return told.ParseFromString(*answered) ? health(told) : refuse(502, "the agent's answer is not one");
  }
  const auto& [code, message] = answered.error();
  if (code == Errc::mismatch) return answer(api::AgentHealth{.healthy = false, .reason = message});
  if (code == Errc::disconnected || code == Errc::timeout)
    return answer(api::AgentHealth{.healthy = false, .reason = "it does not answer"});
  return refusal_of(answered.error());
}

Answer agents(const v1::AgentsAnswer& answered) {
  api::AgentList list;
  for (const v1::AgentInfo& info : answered.agents()) list.agents.push_back(agent_state(info));
  return answer(list);
}

Answer one_agent(const v1::AgentsAnswer& answered) {
  if (answered.agents().empty()) return refuse(404, "the site has no agent of that name");
  return agent(answered.agents(0));
}

void read_handlers(bus::Caller& caller, Handlers& handlers) {
  handlers.emplace("listRoles", [&caller](const CallPointer& call, const Done& done) {
    ask<v1::RolesAnswer>(caller, call, to("coredinator.Roles", "coredinator"), v1::RolesRequest(), roles, done);
  });
  handlers.emplace("getPlant", [&caller](const CallPointer& call, const Done& done) {
    ask<v1::IoStatusAnswer>(caller, call, to("io.Status", "io"), v1::IoStatusRequest(), plant, done);
  });
  handlers.emplace("getMode", [&caller](const CallPointer& call, const Done& done) {
    ask<v1::ModeAnswer>(caller, call, to("io.Mode", "io"), v1::ModeRequest(), mode, done);
  });
  handlers.emplace("listAgents", [&caller](const CallPointer& call, const Done& done) {
    ask<v1::AgentsAnswer>(caller, call, to("coredinator.Agents", "coredinator"), v1::AgentsRequest(), agents, done);
  });
  handlers.emplace("getAgent", [&caller](const CallPointer& call, const Done& done) {
    v1::AgentsRequest request;
    request.set_agent(call->parts[0]);
    ask<v1::AgentsAnswer>(caller, call, to("coredinator.Agents", "coredinator"), request, one_agent, done);
  });
}

void health_handler(bus::Caller& caller, Handlers& handlers) {
  handlers.emplace("getAgentHealth", [&caller](const CallPointer& call, const Done& done) {
    send(caller, call, to("agent.Health", call->parts[0]), v1::HealthRequest(),
         [done](const Result<std::string>& answered) { done(health_of(answered)); });
  });
}

void plant_orders(bus::Caller& caller, Handlers& handlers) {
  handlers.emplace("setMode", taking<api::ModeOrder>(
                                  [&caller](const CallPointer& call, const api::ModeOrder& order, const Done& done) {
                                    v1::ModeRequest request;
                                    request.set_mode(order.mode);
                                    request.set_user(call->identity->name);
                                    request.set_reason(order.reason);
                                    ask<v1::ModeAnswer>(caller, call, to("io.Mode", "io"), request, mode, done);
                                  }));
  handlers.emplace(
      "writeSetPoint",
      taking<api::SetPointOrder>([&caller](const CallPointer& call, const api::SetPointOrder& order, const Done& done) {
        v1::WriteRequest request;
        request.set_tag(call->parts[0]);
        request.set_value(order.value);
        request.set_user(call->identity->name);
        request.set_reason(order.reason);
        ask<v1::WriteAnswer>(caller, call, to("io.Write", "io", kWritePatience), request, set_point, done);
      }));
}

void agent_orders(bus::Caller& caller, Handlers& handlers) {
  handlers.emplace(
      "orderAgent",
      taking<api::AgentOrder>([&caller](const CallPointer& call, const api::AgentOrder& order, const Done& done) {
        v1::AgentOrder request;
        request.set_agent(call->parts[0]);
        request.set_verb(order.verb);
        request.set_user(call->identity->name);
        request.set_reason(order.reason);
        ask<v1::AgentInfo>(caller, call, to("coredinator.OrderAgent", "coredinator"), request, agent, done);
      }));
  handlers.emplace(
      "orderVersion",
      taking<api::VersionOrder>([&caller](const CallPointer& call, const api::VersionOrder& order, const Done& done) {
        v1::VersionOrder request;
        request.set_agent(call->parts[0]);
        request.set_version(call->parts[1]);
        request.set_verb(order.verb);
        request.set_user(call->identity->name);
        request.set_reason(order.reason);
        ask<v1::AgentInfo>(caller, call, to("coredinator.OrderVersion", "coredinator"), request, agent, done);
      }));
}

// As `rltune version deploy` has them.
v1::Traffic traffic_of(const api::VersionDeploy& deploy) {
  const std::vector<double> canary = deploy.canary_percent.value_or(std::vector{10.0, 50.0});
  v1::Traffic traffic;
  traffic.set_evaluation_seasons(10);
  traffic.set_shadow_s(deploy.shadow_s.value_or(60.0));
  traffic.set_shadow_proposals(20);
  traffic.mutable_canary_percent()->Assign(canary.begin(), canary.end());
  traffic.set_canary_s(deploy.canary_s.value_or(60.0));
  traffic.set_probation_s(deploy.probation_s.value_or(600.0));
  traffic.set_hold(deploy.hold.value_or(false));
  traffic.set_memory_max_mib(1024.0);
  return traffic;
}

// Nobody reads the host's files by naming them.
bool lies_below(const std::string& artifact) {
  const auto path = std::filesystem::path(artifact).lexically_normal();
  return !artifact.empty() && path.is_relative() && *path.begin() != "..";
}

void deploy_handler(bus::Caller& caller, const std::filesystem::path& site_folder, Handlers& handlers) {
  handlers.emplace(
      "deployVersion",
      taking<api::VersionDeploy>([&caller, site_folder](const CallPointer& call, const api::VersionDeploy& deploy,
                                                        const Done& done) {
        if (!lies_below(deploy.artifact))
          return done({.status = 422,
                       .detail = "the message is not as it should be",
                       .faults = {{"/artifact", "has to be a folder below the site's, as \"policies/spring\""}}});
        v1::DeployRequest request;
        request.set_agent(call->parts[0]);
        request.set_version(deploy.version);
        request.set_folder((site_folder / deploy.artifact).string());
        *request.mutable_traffic() = traffic_of(deploy);
        request.set_user(call->identity->name);
        request.set_reason(deploy.reason);
        ask<v1::AgentInfo>(caller, call, to("coredinator.Deploy", "coredinator", kWritePatience), request, agent, done);
      }));
}

}  // namespace

Handlers site_handlers(bus::Caller& caller, const config::Site& site) {
  Handlers handlers;
  handlers.emplace("getSite", [about = about(site)](const CallPointer&, const Done& done) {
    api::SiteInfo now = about;
    now.time = WallClock().now();
    done(answer(now));
  });
  deploy_handler(caller, site.folder, handlers);
  read_handlers(caller, handlers);
  health_handler(caller, handlers);
  plant_orders(caller, handlers);
  agent_orders(caller, handlers);
  return handlers;
}

}  // namespace rltune::gateway
