#include "rltune/config/loosening.hpp"

#include <algorithm>
#include <cmath>
#include <format>
#include <set>
#include <tuple>

#include "rltune/base/check.hpp"
#include "rltune/config/change.hpp"
#include "rltune/config/expression.hpp"
#include "rltune/config/site.hpp"

namespace rltune::config {
namespace {

using Found = std::vector<std::string>;

template <typename Items, typename Key, typename Projection>
auto find(const Items& items, const Key& key, Projection name) -> const typename Items::value_type* {
  const auto found = std::ranges::find(items, key, name);
  return found == items.end() ? nullptr : &*found;
}

std::string show(Range range) { return std::format("{} to {}", range.low, range.high); }

std::string becomes(const std::string& field, const auto& was, const auto& is) {
  return std::format("{}: {} becomes {}", field, was, is);
}

bool wider(Range was, Range is) { return is.low < was.low || is.high > was.high; }

// A limit where 0 means none.
bool more(double was, double is) { return was != is && (is == 0.0 || (was != 0.0 && is > was)); }

bool holds_all(const std::vector<std::string>& all, const std::vector<std::string>& some) {
  return std::ranges::all_of(some, [&](const std::string& one) { return std::ranges::contains(all, one); });
}

void compare(const OutputRule& was, const OutputRule& is, Found& found) {
  const std::string at = std::format("guard.outputs[{}].", is.tag);
  if (wider(was.limits, is.limits)) found.push_back(becomes(at + "limits", show(was.limits), show(is.limits)));
  if (more(was.rate_per_s, is.rate_per_s)) found.push_back(becomes(at + "rate_per_s", was.rate_per_s, is.rate_per_s));
  if (more(was.step_max, is.step_max)) found.push_back(becomes(at + "step_max", was.step_max, is.step_max));
  if (more(was.starts_per_hour, is.starts_per_hour))
    found.push_back(becomes(at + "starts_per_hour", was.starts_per_hour, is.starts_per_hour));
  if (is.minimum_on_s < was.minimum_on_s)
    found.push_back(becomes(at + "minimum_on_s", was.minimum_on_s, is.minimum_on_s));
  if (is.minimum_off_s < was.minimum_off_s)
    found.push_back(becomes(at + "minimum_off_s", was.minimum_off_s, is.minimum_off_s));
  if (is.on_above != was.on_above) found.push_back(becomes(at + "on_above", was.on_above, is.on_above));
  if (is.safe_value != was.safe_value) found.push_back(becomes(at + "safe_value", was.safe_value, is.safe_value));
  if (!was.mode_tag.empty() && (is.mode_tag != was.mode_tag || is.mode_remote != was.mode_remote))
    found.push_back(at + "mode_tag: what says that the output is ours is another");
}

void compare_outputs(const Site& was, const Site& is, Found& found) {
  for (const OutputRule& rule : is.guard.outputs) {
    const OutputRule* before = find(was.guard.outputs, rule.tag, &OutputRule::tag);
    if (before != nullptr)
      compare(*before, rule, found);
    else
      found.push_back(std::format("guard.outputs[{}]: is written for the first time", rule.tag));
  }
}

void compare_interlocks(const Site& was, const Site& is, Found& found) {
  for (const Interlock& before : was.guard.interlocks) {
    const std::string at = std::format("guard.interlocks[{}]", before.name);
    const Interlock* now = find(is.guard.interlocks, before.name, &Interlock::name);
    if (now == nullptr) {
      found.push_back(at + ": is gone");
      continue;
    }
    if (now->require != before.require) found.push_back(becomes(at + ".require", before.require, now->require));
    const bool same_reach =
        now->outputs.empty() || (!before.outputs.empty() && holds_all(now->outputs, before.outputs));
    if (!same_reach) found.push_back(at + ".outputs: reaches fewer outputs");
  }
}

void compare_budgets(const Site& was, const Site& is, Found& found) {
  for (const Budget& before : was.budgets) {
    const std::string at = std::format("budgets[{}]", before.name);
    const Budget* now = find(is.budgets, before.name, &Budget::name);
    if (now == nullptr)
      found.push_back(at + ": is gone");
    else if (now->limit > before.limit)
      found.push_back(becomes(at + ".limit", before.limit, now->limit));
    else if (!holds_all(now->outputs, before.outputs))
      found.push_back(at + ".outputs: holds fewer outputs");
  }
}

void compare_heartbeats(const Site& was, const Site& is, Found& found) {
  if (!was.guard.guard_alive.empty() && is.guard.guard_alive != was.guard.guard_alive)
    found.push_back(becomes("guard.guard_alive", was.guard.guard_alive, is.guard.guard_alive));
  if (!was.guard.agent_alive.empty() && is.guard.agent_alive != was.guard.agent_alive)
    found.push_back(becomes("guard.agent_alive", was.guard.agent_alive, is.guard.agent_alive));
  if (is.guard.heartbeat_s > was.guard.heartbeat_s)
    found.push_back(becomes("guard.heartbeat_s", was.guard.heartbeat_s, is.guard.heartbeat_s));
  for (const Agent& agent : is.agents)
    if (const Agent* before = find(was.agents, agent.id, &Agent::id);
        before != nullptr && more(before->agent_alive_timeout_s, agent.agent_alive_timeout_s))
      found.push_back(becomes(std::format("agents[{}].agent_alive_timeout_s", agent.id), before->agent_alive_timeout_s,
                              agent.agent_alive_timeout_s));
}

// Tags that the guard writes, or judges by.
std::set<std::string> guarded(const Site& site) {
  std::vector<std::string> names;
  for (const Tag& tag : site.tags) names.push_back(tag.name);
  std::set<std::string> out;
  for (const OutputRule& rule : site.guard.outputs) {
    out.insert(rule.tag);
    if (!rule.mode_tag.empty()) out.insert(rule.mode_tag);
  }
  for (const Interlock& interlock : site.guard.interlocks) {
    const auto compiled = Expression::compile(interlock.require, names);
    RLTUNE_CHECK(compiled);  // the site was checked
    for (const std::size_t used : compiled->used()) out.insert(names[used]);
    for (const std::size_t used : compiled->used_previous()) out.insert(names[used]);
  }
  return out;
}

auto judged_by(const Tag& tag) {
  return std::tie(tag.node, tag.unit, tag.role, tag.elements, tag.stale_after_s, tag.frozen_after_s, tag.step_limit,
                  tag.uncertain_is_good, tag.imputation, tag.imputation_value, tag.imputation_max_s);
}

void compare_tags(const Site& was, const Site& is, Found& found) {
  for (const std::string& name : guarded(was)) {
    const Tag* before = find(was.tags, name, &Tag::name);
    const Tag* now = find(is.tags, name, &Tag::name);
    if (before == nullptr || now == nullptr) continue;  // an output or an interlock that is gone with it is told above
    const std::string at = std::format("tags[{}]", name);
    if (judged_by(*before) != judged_by(*now))
      found.push_back(at + ": the guard would go by another node, unit or quality");
    if (before->operating && (!now->operating || wider(*before->operating, *now->operating)))
      found.push_back(becomes(at + ".operating", show(*before->operating),
                              now->operating ? show(*now->operating) : std::string("nothing")));
  }
}

Result<Found> loosened_site(const std::string& was, const std::string& is) {
  const auto before = parse_site(was, "old"), now = parse_site(is, "new");
  if (!before) return std::unexpected(before.error());
  if (!now) return std::unexpected(now.error());
  Found found;
  compare_outputs(*before, *now, found);
  compare_interlocks(*before, *now, found);
  compare_budgets(*before, *now, found);
  compare_heartbeats(*before, *now, found);
  compare_tags(*before, *now, found);
  return found;
}

// Who may change the configuration, and how one proves to be that account: else one person would be two.
Found loosened_users(const std::vector<Change>& changes) {
  Found found;
  for (const Change& change : changes) {
    const std::string leaf = change.field.substr(change.field.rfind('.') + 1);
    const bool of_user = change.field.starts_with("users[") && change.field.contains("].");
    if (change.field.starts_with("oauth.required_")) {
      if (!change.was.empty() && change.was != "[]")  // before, any would do
        found.push_back(change.field + ": a weaker sign-in at the provider may do");
      continue;
    }
    if (change.is.empty()) continue;
    const bool powerful = change.is == "engineer" || change.is == "admin";
    const bool is_new =
        std::ranges::contains(changes, change.field.substr(0, change.field.rfind('.')) + ".name", &Change::field);
    if (change.field.starts_with("oauth"))
      found.push_back(change.field + ": another provider could say who somebody is");
    else if (of_user && leaf == "role" && powerful && change.was != "admin")
      found.push_back(becomes(change.field, change.was.empty() ? "nothing" : change.was, change.is));
    else if (of_user && leaf == "enabled" && change.is == "true" && !is_new)
      found.push_back(change.field + ": an account comes back");
    else if (of_user && !is_new && leaf.ends_with("_file"))
      found.push_back(change.field + ": an account would prove itself in another way");
  }
  return found;
}

}  // namespace

Result<std::vector<std::string>> loosened(const std::string& was, const std::string& is) {
  const auto differing = changes(was, is);
  if (!differing) return std::unexpected(differing.error());
  const Kind kind = check(is).schema.kind;
  if (kind == Kind::users) return loosened_users(*differing);
  // A site that is new has no guard yet that could be loosened; it cannot come to be through a running one either.
  if (kind == Kind::site && !was.empty()) return loosened_site(was, is);
  return Found{};
}

}  // namespace rltune::config
