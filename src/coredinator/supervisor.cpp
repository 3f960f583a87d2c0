#include "supervisor.hpp"

#include <format>

namespace rltune::coredinator {
namespace {

constexpr int kWrongUsage = 2;

}  // namespace

Supervisor::Supervisor(std::vector<Planned> roles, const Policy& policy) : policy_(policy) {
  want(std::move(roles), Duration::zero());
}

void Supervisor::want(std::vector<Planned> roles, Duration now) {
  for (const Planned& planned : roles) keep_or_stop(planned, now);
  for (const Planned& before : planned_) {
    const auto same = [&](const Planned& planned) { return planned.spec.name() == before.spec.name(); };
    if (std::ranges::any_of(roles, same)) continue;
    Role& role = roles_.at(before.spec.name());
    if (!role.leaves_at) role.leaves_at = now + policy_.drain;
    roles.push_back(before);
    roles.back().leaving = true;
  }
  planned_ = std::move(roles);
}

void Supervisor::keep_or_stop(const Planned& planned, Duration now) {
  const auto [entry, added] =
      roles_.try_emplace(planned.spec.name(), Role{.backoff = Backoff(policy_.backoff_first, policy_.backoff_max)});
  Role& role = entry->second;
  role.once = planned.once;
  role.limit = planned.limit;
  if (added && !planned.waits_for.empty()) role.reason = "waits for " + planned.waits_for;
  if (planned.stopped) {
    if (!role.leaves_at) role.leaves_at = now;
  } else if (role.leaves_at) {
    role.leaves_at.reset();
    if (role.pid == 0) role.state = "stopped";  // not failed any more: it is tried again
  }
}

void Supervisor::forget_what_left() {
  std::erase_if(planned_, [this](const Planned& planned) {
    const bool left = planned.leaving && roles_.at(planned.spec.name()).pid == 0;
    if (left) roles_.erase(planned.spec.name());
    return left;
  });
}

Supervisor::Role* Supervisor::find(const std::string& name) {
  const auto found = roles_.find(name);
  return found == roles_.end() ? nullptr : &found->second;
}

void Supervisor::try_again(const std::string& agent) {
  for (auto& [name, role] : roles_) {
    const std::string_view instance = std::string_view(name).substr(name.find('.') + 1);
    if (role.state != "failed" || role.once || instance.substr(0, instance.find('@')) != agent) continue;
    role.state = "stopped";
    role.reason.clear();
    role.deaths.clear();
    role.retry_at.reset();
    role.backoff.reset();
  }
}

bool Supervisor::died_too_often(Role& role, Duration now) const {
  role.deaths.push_back(now);
  while (now - role.deaths.front() > policy_.deaths_window) role.deaths.pop_front();
  return role.deaths.size() > static_cast<std::size_t>(policy_.deaths_max);
}

// It is not started on and on: without an agent its fallback acts; without io nothing does, and the whole site is given
// up, for who started it to start it anew.
void Supervisor::escalate(const std::string& name, Role& role, Duration now) {
  const std::string death = std::format("died {} times within {:.0f} s, last by {}", role.deaths.size(),
                                        to_seconds(policy_.deaths_window), role.reason);
  role.state = "failed";
  role.reason = std::format("{}; tried again after {:.0f} s", death, to_seconds(policy_.failed_wait));
  role.retry_at = now + policy_.failed_wait;
  role.deaths.clear();
  for (const Planned& planned : planned_)
    if (planned.spec.name() == name && planned.vital && !forgives_)
      actions_.push_back({Action::Kind::give_up, name, name + " " + death});
}

void Supervisor::begin(Role& role, std::int32_t pid, std::int64_t started_unix_ns, Duration now) {
  role.state = role.once ? "running" : "starting";
  role.reason.clear();
  role.pid = pid;
  role.started_unix_ns = started_unix_ns;
  role.started_at = role.answered_at = now;
  role.asked_at.reset();
  role.retry_at.reset();
  role.answered = role.killed = role.stop_asked = role.again = false;
}

void Supervisor::end(const std::string& name, Role& role, const std::string& how, Duration now) {
  role.pid = 0;
  role.asked_at.reset();
  role.reason = how;
  if (stopping_ || role.leaves_at || role.stop_asked) {
    role.state = "stopped";
    return;
  }
  if (role.once) {
    role.state = how == "exit 0" ? "done" : "failed";
    return;
  }
  if (role.state == "healthy" && now - role.started_at >= policy_.healthy_window) role.backoff.reset();
  role.state = "backoff";
  role.restart_at = now + role.backoff.next();
  ++role.restarts;
  if (died_too_often(role, now)) return escalate(name, role, now);
  for (const Planned& planned : planned_)
    if (planned.spec.name() == name && how == "exit " + std::to_string(kWrongUsage)) {
      role.state = "failed";
      role.reason = "it refused to run: its log says why";
      if (planned.vital && !forgives_)
        actions_.push_back({Action::Kind::give_up, name, name + " refused to run: its log says why"});
    }
}

void Supervisor::adopt(const v1::Children& children, Duration now) {
  std::map<std::string, const v1::ChildStarted*> running;
  for (const v1::ChildStarted& child : children.children()) {
    running[child.name()] = &child;
    if (find(child.name()) == nullptr)
      actions_.push_back({Action::Kind::kill, child.name(), "the site has no such role"});
  }
  for (auto& [name, role] : roles_) {
    const auto found = running.find(name);
    if (found == running.end() && role.pid != 0) end(name, role, "gone", now);
    if (found != running.end() && found->second->pid() != role.pid)
      begin(role, found->second->pid(), found->second->started_unix_ns(), now);
  }
}

void Supervisor::started(const v1::ChildStarted& child, Duration now) {
  if (Role* role = find(child.name())) begin(*role, child.pid(), child.started_unix_ns(), now);
}

void Supervisor::refused(const v1::SpawnRefused& refusal, Duration now) {
  Role* role = find(refusal.name());
  if (role == nullptr || role->pid != 0) return;
  role->asked_at.reset();
  role->state = "backoff";
  role->reason = refusal.reason();
  role->restart_at = now + role->backoff.next();
}

void Supervisor::exited(const v1::ChildExited& child, Duration now) {
  Role* role = find(child.name());
  if (role == nullptr || role->pid != child.pid()) return;
  end(child.name(), *role,
      child.signal() != 0 ? "signal " + std::to_string(child.signal()) : "exit " + std::to_string(child.exit_code()),
      now);
}

void Supervisor::answered(const std::string& name, const v1::HealthAnswer& health, Duration now) {
  Role* role = find(name);
  // An answer that its predecessor gave says nothing about this one.
  if (role == nullptr || role->pid == 0 || (health.pid() != 0 && health.pid() != role->pid)) return;
  role->answered = role->answered_ever = true;
  role->answered_at = now;
  role->state = health.healthy() ? "healthy" : "unhealthy";
  role->reason = health.reason();
}

void Supervisor::restart(const std::string& name) {
  Role* role = find(name);
  if (role == nullptr) return;
  role->again = role->pid != 0;
  role->backoff.reset();
  role->restart_at = {};
  if (role->pid == 0 && !role->asked_at) role->state = "stopped";
}

bool Supervisor::ready_to_spawn(const Planned& planned, const Role& role, Duration now) const {
  if (stopping_ || role.leaves_at || role.pid != 0 || role.state == "done" || now < role.restart_at) return false;
  if (role.state == "failed" && !(role.retry_at && now >= *role.retry_at)) return false;
  if (role.asked_at && now - *role.asked_at < policy_.spawn_answer_limit) return false;
  // The order holds for the first start; later each comes back by itself.
  if (planned.waits_for.empty() || role.restarts > 0 || role.answered_ever) return true;
  const auto first = roles_.find(planned.waits_for);
  return first == roles_.end() || first->second.answered_ever;
}

bool Supervisor::hung(const Role& role, Duration now) const {
  if (role.pid == 0 || role.killed || role.stop_asked) return false;
  if (role.once) return now - role.started_at >= (role.limit > Duration::zero() ? role.limit : policy_.once_limit);
  return now - role.answered_at >= (role.answered ? policy_.silence_limit : policy_.start_limit);
}

std::vector<Action> Supervisor::due(Duration now) {
  for (const Planned& planned : planned_) {
    const std::string& name = planned.spec.name();
    Role& role = roles_.at(name);
    if (planned.mute && role.pid != 0 && !role.answered) {
      role.state = "healthy";
      role.answered = role.answered_ever = true;
    }
    if (ready_to_spawn(planned, role, now)) {
      role.asked_at = now;
      role.state = "starting";
      actions_.push_back({Action::Kind::spawn, name, {}});
    } else if (!stopping_ && role.pid != 0 && !role.stop_asked && role.leaves_at && now >= *role.leaves_at) {
      role.stop_asked = true;
      actions_.push_back({Action::Kind::stop, name, planned.stopped ? "told to stop" : "not needed any more"});
    } else if (!stopping_ && role.pid != 0 && !role.stop_asked && role.again) {
      role.stop_asked = true;
      actions_.push_back({Action::Kind::stop, name, "it starts again with another configuration"});
    } else if (!stopping_ && !planned.mute && hung(role, now)) {
      role.killed = true;
      actions_.push_back({Action::Kind::kill, name, "it does not answer"});
    }
  }
  forget_what_left();
  return std::exchange(actions_, {});
}

bool Supervisor::running(const std::string& role) const {
  const auto found = roles_.find(role);
  return found != roles_.end() && found->second.pid != 0;
}

bool Supervisor::settled() const {
  return std::ranges::all_of(roles_, [](const auto& entry) {
    return entry.second.once || entry.second.state == "failed" || entry.second.leaves_at ||
           (entry.second.pid != 0 && entry.second.answered);
  });
}

v1::RolesAnswer Supervisor::roles() const {
  v1::RolesAnswer answer;
  for (const Planned& planned : planned_) {
    const Role& role = roles_.at(planned.spec.name());
    v1::RoleState& state = *answer.add_roles();
    state.set_name(planned.spec.name());
    state.set_pid(role.pid);
    state.set_state(role.state);
    state.set_restarts(role.restarts);
    state.set_started_unix_ns(role.started_unix_ns);
    state.set_reason(role.reason);
  }
  return answer;
}

}  // namespace rltune::coredinator
