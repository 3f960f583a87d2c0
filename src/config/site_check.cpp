#include "site_check.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <format>
#include <initializer_list>
#include <set>
#include <string_view>

#include "rltune/base/time.hpp"
#include "rltune/config/expression.hpp"
#include "rltune/config/tag_role.hpp"
#include "site_fields.hpp"
#include "words.hpp"

namespace rltune::config {

std::string_view to_string(TagRole role) {
  for (const Word& word : kRoleWords)
    if (word.value == static_cast<int>(role)) return word.text;
  return "";
}

namespace {

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > 100 || std::isalpha(static_cast<unsigned char>(text[0])) == 0) return false;
  return std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

bool inside(double value, const Range& range) { return value >= range.low && value <= range.high; }
bool inside(const Range& inner, const Range& outer) { return inner.low >= outer.low && inner.high <= outer.high; }
std::string show(const Range& range) {
  return std::format("{} to {}", show_number(range.low), show_number(range.high));
}

class Checker {
 public:
  Checker(const Site& site, Faults& faults) : site_(site), faults_(faults) {
    for (const Tag& tag : site.tags) {
      by_name_.try_emplace(tag.name, &tag);
      scalars_.push_back(tag.elements == 1 ? tag.name : std::string());
    }
  }

  void run() {
    if (!site_.name.empty() && !is_identifier(site_.name))
      faults_.add("name", "may hold letters, digits, '-' and '_' only");
    check_clock();
    check_link();
    check_tags();
    for (std::size_t i = 0; i < site_.agents.size(); ++i) check_agent(std::format("agents[{}]", i), site_.agents[i]);
    check_guard();
    check_storage();
    for (std::size_t i = 0; i < site_.budgets.size(); ++i)
      check_budget(std::format("budgets[{}]", i), site_.budgets[i]);
    for (std::size_t i = 0; i < site_.groups.size(); ++i) check_group(std::format("groups[{}]", i), site_.groups[i]);
    check_gateway(site_.gateway, faults_);
  }

 private:
  // The tag of that name with one of these roles; reports what is wrong otherwise.
  const Tag* refer(const std::string& path, const std::string& name, std::initializer_list<TagRole> roles) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) {
      faults_.add(path, std::format("there is no tag '{}'{}", shown(name), suggest(name, names_with(roles))));
      return nullptr;
    }
    if (std::ranges::find(roles, found->second->role) != roles.end()) return found->second;
    if (faults_.faulty(std::format("tags[{}].role", found->second - site_.tags.data()))) return nullptr;
    std::vector<std::string_view> words;
    for (const TagRole role : roles) words.push_back(to_string(role));
    faults_.add(
        path, std::format("tag '{}' has role {}; it must be {}", name, to_string(found->second->role), list_of(words)));
    return nullptr;
  }

  std::vector<std::string_view> names_with(std::initializer_list<TagRole> roles) const {
    std::vector<std::string_view> names;
    for (const Tag& tag : site_.tags)
      if (std::ranges::find(roles, tag.role) != roles.end()) names.push_back(tag.name);
    return names;
  }

  bool check_range(const std::string& path, const Range& range) {
    if (range.low < range.high) return true;
    faults_.add(path, std::format("low {} must be below high {}", show_number(range.low), show_number(range.high)));
    return false;
  }

  void check_clock() {
    if (site_.clock == ClockKind::wall) {
      if (faults_.has("plant_clock")) faults_.add("plant_clock", "is for clock: plant only");
      return;
    }
    if (!faults_.has("plant_clock"))
      return faults_.add("clock", "clock: plant needs plant_clock with step and advance");
    if (!site_.plant_clock.step.empty()) refer("plant_clock.step", site_.plant_clock.step, {TagRole::clock});
    if (!site_.plant_clock.advance.empty()) refer("plant_clock.advance", site_.plant_clock.advance, {TagRole::clock});
    if (!site_.plant_clock.step.empty() && site_.plant_clock.step == site_.plant_clock.advance)
      faults_.add("plant_clock.advance", "must be another tag than step");
  }

  void check_link() {
    const Link& link = site_.link;
    if (!link.url.empty() && !link.url.starts_with("opc.tcp://")) faults_.add("link.url", "must start with opc.tcp://");
    if (link.url == "opc.tcp://") faults_.add("link.url", "names no host");
    if (link.url.find('@') != std::string::npos)
      faults_.add("link.url", "holds a user or a password; use user and password_file");
    if (link.security == "None" && !link.allow_insecure)
      faults_.add("link.security",
                  "None signs and hides nothing; use Basic256Sha256, or permit it with allow_insecure: true");
    const bool has_password = !link.password_file.empty() || !link.password_env.empty();
    if (!link.password_file.empty() && !link.password_env.empty())
      faults_.add("link.password_env", "give password_file or password_env, not both");
    if (!link.user.empty() && !has_password) faults_.add("link.user", "needs a password_file or a password_env");
    if (link.user.empty() && has_password)
      faults_.add(link.password_file.empty() ? "link.password_env" : "link.password_file",
                  "is of no use without a user");
    if (link.reconnect_max_s < link.reconnect_min_s)
      faults_.add("link.reconnect_max_s", std::format("must be at least reconnect_min_s, {}", link.reconnect_min_s));
  }

  void check_tags() {
    if (site_.tags.empty() && faults_.has("tags")) faults_.add("tags", "must name at least one tag");
    std::map<std::string, std::size_t> names, nodes;
    for (std::size_t i = 0; i < site_.tags.size(); ++i) {
      const Tag& tag = site_.tags[i];
      const std::string path = std::format("tags[{}]", i);
      if (!tag.name.empty()) {
        check_tag_name(path, tag);
        if (const auto [first, fresh] = names.try_emplace(tag.name, i); !fresh)
          faults_.add(path + ".name", std::format("'{}' is also the name of tags[{}]", shown(tag.name), first->second));
      }
      if (!tag.node.empty()) {
        check_node(path, tag.node);
        if (const auto [first, fresh] = nodes.try_emplace(tag.node, i); !fresh)
          faults_.add(path + ".node", std::format("is also the node of tags[{}], '{}'", first->second,
                                                  shown(site_.tags[first->second].name)));
      }
      check_tag(path, tag);
    }
  }

  void check_tag_name(const std::string& path, const Tag& tag) {
    if (!is_name(tag.name))
      faults_.add(path + ".name",
                  std::format("'{}' must start with a letter and hold letters, digits and _ only", shown(tag.name)));
    else if (Expression::is_reserved(tag.name))
      faults_.add(path + ".name", std::format("'{}' is a word of the expressions; choose another name", tag.name));
  }

  void check_node(const std::string& path, const std::string& node) {
    if (node.starts_with("ns=")) {
      faults_.add(
          path + ".node",
          "names its namespace by index, which may change when the server restarts; write nsu=<namespace URI>;...");
      return;
    }
    std::string_view rest = node;
    if (rest.starts_with("nsu=")) {
      const std::size_t end = rest.find(';');
      rest = end == std::string_view::npos || end == 4 ? std::string_view() : rest.substr(end + 1);
    }
    const bool typed =
        rest.size() > 2 && rest[1] == '=' && std::string_view("sigb").find(rest[0]) != std::string_view::npos;
    if (!typed)
      faults_.add(path + ".node", std::format("'{}' must read nsu=<namespace URI>;s=<identifier>", shown(node)));
  }

  void check_tag(const std::string& path, const Tag& tag) {
    const bool operating = tag.operating && check_range(path + ".operating", *tag.operating);
    const bool expected = tag.expected && check_range(path + ".expected", *tag.expected);
    if (operating && expected && !inside(*tag.expected, *tag.operating))
      faults_.add(path + ".expected",
                  std::format("{} must lie inside operating, {}", show(*tag.expected), show(*tag.operating)));
    if (operating && tag.imputation == Imputation::value && !inside(tag.imputation_value, *tag.operating))
      faults_.add(path + ".imputation_value", std::format("{} must lie inside operating, {}",
                                                          show_number(tag.imputation_value), show(*tag.operating)));
    if (tag.imputation == Imputation::value && !faults_.has(path + ".imputation_value"))
      faults_.add(path + ".imputation", "value needs imputation_value");
    if (tag.imputation != Imputation::value && faults_.has(path + ".imputation_value"))
      faults_.add(path + ".imputation_value", "is of use with imputation: value only");
    if (tag.role == TagRole::forecast) return check_forecast(path, tag);
    if (!tag.forecasts.empty()) faults_.add(path + ".forecasts", "is for role forecast only");
    if (!tag.issued.empty()) faults_.add(path + ".issued", "is for role forecast only");
    if (tag.elements > 1 && tag.role != TagRole::measurement && tag.role != TagRole::exogenous)
      faults_.add(path + ".elements", std::format("a tag of role {} has one element", to_string(tag.role)));
  }

  void check_forecast(const std::string& path, const Tag& tag) {
    if (tag.forecasts.empty())
      faults_.add(path, "role forecast needs 'forecasts', the exogenous tag it predicts");
    else
      refer(path + ".forecasts", tag.forecasts, {TagRole::exogenous});
    if (!tag.issued.empty())
      refer(path + ".issued", tag.issued, {TagRole::exogenous, TagRole::measurement, TagRole::clock});
  }

  // An expression that compiles and reads scalar tags that the plant reports.
  void check_expression(const std::string& path, const std::string& text, bool may_look_back) {
    const auto expression = Expression::compile(text, scalars_);
    if (!expression) return faults_.add(path, expression.error().message);
    if (!may_look_back && !expression->used_previous().empty())
      faults_.add(path, "previous() has no meaning here: an interlock looks at the present only");
    if (expression->used().empty() && expression->used_previous().empty()) faults_.add(path, "uses no tag");
  }

  void check_agent(const std::string& path, const Agent& agent) {
    if (!agent.id.empty()) {
      if (!is_identifier(agent.id))
        faults_.add(path + ".id", std::format("'{}' may hold letters, digits, '-' and '_' only", shown(agent.id)));
      if (!agent_ids_.insert(agent.id).second)
        faults_.add(path + ".id", std::format("'{}' is given to two agents", agent.id));
    }
    if (agent.outputs.empty() && faults_.has(path + ".outputs"))
      faults_.add(path + ".outputs", "must name at least one set-point");
    for (std::size_t i = 0; i < agent.outputs.size(); ++i)
      check_owner(std::format("{}.outputs[{}]", path, i), agent, agent.outputs[i]);
    for (const auto& [name, tag] : agent.bindings)
      refer(std::format("{}.bindings.{}", path, shown(name)), tag,
            {TagRole::measurement, TagRole::exogenous, TagRole::forecast, TagRole::setpoint});
    if (agent.fallback != "hold" && agent.plant.empty())
      faults_.add(path + ".fallback", std::format("{} needs 'plant', the model whose names it uses", agent.fallback));
    if (agent.season_days > 0.0 && agent.season_start.empty()) faults_.add(path + ".season_days", "needs season_start");
    if (!agent.season_start.empty())
      if (const auto start = parse_rfc3339(agent.season_start); !start)
        faults_.add(path + ".season_start", std::format("'{}' is not a time such as 2026-02-09 or 2026-02-09T00:00:00Z",
                                                        shown(agent.season_start)));
    check_learning(path + ".learning", agent);
  }

  void check_owner(const std::string& path, const Agent& agent, const std::string& output) {
    if (refer(path, output, {TagRole::setpoint}) == nullptr) return;
    const auto [owner, fresh] = owners_.try_emplace(output, agent.id);
    if (!fresh)
      faults_.add(path, std::format("'{}' already belongs to agent '{}'; a set-point has one owner", output,
                                    shown(owner->second)));
  }

  void check_learning(const std::string& path, const Agent& agent) {
    const Learning& learning = agent.learning;
    if (learning.enabled && learning.reward.empty()) faults_.add(path, "learning needs a reward");
    if (!learning.reward.empty()) check_expression(path + ".reward", learning.reward, true);
    for (const auto& [name, text] : learning.costs) {
      const std::string field = std::format("{}.costs.{}", path, shown(name));
      if (!is_name(name)) faults_.add(field, "a cost's name holds letters, digits and _ only");
      check_expression(field, text, true);
    }
    for (const auto& [name, range] : learning.explore_within) {
      const std::string field = std::format("{}.explore_within.{}", path, shown(name));
      if (std::ranges::find(agent.outputs, name) == agent.outputs.end())
        faults_.add(field, "is not an output of this agent");
      else if (const OutputRule* rule = rule_of(name);
               check_range(field, range) && rule != nullptr && !inside(range, rule->limits))
        faults_.add(field, std::format("{} must lie inside the guard's limits, {}", show(range), show(rule->limits)));
    }
    if (!learning.explore) return;
    for (const std::string& output : agent.outputs)
      if (!learning.explore_within.contains(output))
        faults_.add(path + ".explore", std::format("explore_within has no range for '{}'", shown(output)));
  }

  const OutputRule* rule_of(const std::string& tag) const {
    const auto found = std::ranges::find(site_.guard.outputs, tag, &OutputRule::tag);
    return found == site_.guard.outputs.end() ? nullptr : &*found;
  }

  void check_guard() {
    const Guard& guard = site_.guard;
    std::set<std::string> ruled, interlocks;
    for (std::size_t i = 0; i < guard.outputs.size(); ++i) {
      const std::string path = std::format("guard.outputs[{}]", i);
      if (!guard.outputs[i].tag.empty() && !ruled.insert(guard.outputs[i].tag).second)
        faults_.add(path + ".tag", std::format("'{}' has its rules already", shown(guard.outputs[i].tag)));
      check_rule(path, guard.outputs[i]);
    }
    for (std::size_t i = 0; i < site_.tags.size(); ++i)
      if (site_.tags[i].role == TagRole::setpoint && !site_.tags[i].name.empty() && !ruled.contains(site_.tags[i].name))
        faults_.add(std::format("tags[{}]", i),
                    std::format("set-point '{}' has no rules in guard.outputs", shown(site_.tags[i].name)));
    for (std::size_t i = 0; i < guard.interlocks.size(); ++i) {
      const std::string path = std::format("guard.interlocks[{}]", i);
      if (!guard.interlocks[i].name.empty() && !interlocks.insert(guard.interlocks[i].name).second)
        faults_.add(path + ".name",
                    std::format("'{}' is the name of another interlock", shown(guard.interlocks[i].name)));
      check_interlock(path, guard.interlocks[i], ruled);
    }
    if (!guard.guard_alive.empty()) refer("guard.guard_alive", guard.guard_alive, {TagRole::heartbeat});
    if (!guard.agent_alive.empty()) refer("guard.agent_alive", guard.agent_alive, {TagRole::heartbeat});
    if (!guard.guard_alive.empty() && guard.guard_alive == guard.agent_alive)
      faults_.add("guard.agent_alive", "must be another tag than guard_alive: they stop for different reasons");
  }

  // Heads prove something only where whoever changes the log does not reach them.
  void check_storage() {
    if (!site_.storage.key_file.empty() && !site_.storage.encrypted && !faults_.faulty("storage.encrypted"))
      faults_.add("storage.key_file", "is of no use without encrypted: true");
    const std::filesystem::path& heads = site_.storage.audit_heads;
    if (heads.empty()) return;
    const auto inside = heads.lexically_normal().lexically_relative(site_.storage.folder.lexically_normal());
    if (!inside.empty() && *inside.begin() != "..")
      faults_.add("storage.audit_heads",
                  std::format("must lie elsewhere than in storage.folder, '{}'", shown(site_.storage.folder.string())));
  }

  void check_rule(const std::string& path, const OutputRule& rule) {
    const Tag* tag = rule.tag.empty() ? nullptr : refer(path + ".tag", rule.tag, {TagRole::setpoint});
    if (faults_.has(path + ".limits") && check_range(path + ".limits", rule.limits)) {
      if (tag != nullptr && tag->operating && !inside(rule.limits, *tag->operating))
        faults_.add(path + ".limits", std::format("{} must lie inside the operating range of '{}', {}",
                                                  show(rule.limits), rule.tag, show(*tag->operating)));
      if (faults_.has(path + ".safe_value") && !inside(rule.safe_value, rule.limits))
        faults_.add(path + ".safe_value",
                    std::format("{} must lie inside limits, {}", show_number(rule.safe_value), show(rule.limits)));
      const bool timed = rule.minimum_on_s > 0.0 || rule.minimum_off_s > 0.0 || rule.starts_per_hour > 0.0;
      if (timed && !(rule.on_above >= rule.limits.low && rule.on_above < rule.limits.high))
        faults_.add(path + ".on_above", std::format("{} must lie inside limits, {}: the output could never switch",
                                                    show_number(rule.on_above), show(rule.limits)));
    }
    if (!rule.mode_tag.empty()) {
      refer(path + ".mode_tag", rule.mode_tag, {TagRole::mode});
      if (rule.mode_remote.empty())
        faults_.add(path + ".mode_tag", "needs mode_remote, the values that mean: ours to write");
    } else if (!rule.mode_remote.empty()) {
      faults_.add(path + ".mode_remote", "is of no use without mode_tag");
    }
  }

  void check_interlock(const std::string& path, const Interlock& interlock, const std::set<std::string>& ruled) {
    if (!interlock.require.empty()) check_expression(path + ".require", interlock.require, false);
    for (std::size_t i = 0; i < interlock.outputs.size(); ++i)
      if (!ruled.contains(interlock.outputs[i])) {
        const std::vector<std::string_view> names(ruled.begin(), ruled.end());
        faults_.add(std::format("{}.outputs[{}]", path, i),
                    std::format("'{}' has no rules in guard.outputs{}", shown(interlock.outputs[i]),
                                suggest(interlock.outputs[i], names)));
      }
  }

  void check_list_name(const std::string& path, const std::string& name, std::set<std::string>& seen) {
    if (name.empty()) return;
    if (!is_identifier(name))
      faults_.add(path, std::format("'{}' may hold letters, digits, '-' and '_' only", shown(name)));
    if (!seen.insert(name).second) faults_.add(path, std::format("'{}' is given twice", shown(name)));
  }

  void check_budget(const std::string& path, const Budget& budget) {
    check_list_name(path + ".name", budget.name, budget_names_);
    if (budget.outputs.size() < 2 && faults_.has(path + ".outputs"))
      faults_.add(path + ".outputs", "must name two set-points at least: the limit of one is its guard's");
    double low = 0.0, safe = 0.0;
    for (std::size_t i = 0; i < budget.outputs.size(); ++i) {
      const std::string field = std::format("{}.outputs[{}]", path, i);
      const std::string& output = budget.outputs[i];
      const Tag* tag = refer(field, output, {TagRole::setpoint});
      const OutputRule* rule = rule_of(output);
      if (tag == nullptr || rule == nullptr) continue;
      if (const auto [other, fresh] = budgeted_.try_emplace(output, budget.name); !fresh)
        faults_.add(field, std::format("'{}' already belongs to budget '{}'", output, shown(other->second)));
      if (!budget.unit.empty() && !tag->unit.empty() && budget.unit != tag->unit)
        faults_.add(field,
                    std::format("'{}' is in {}, the budget in {}", output, shown(tag->unit), shown(budget.unit)));
      if (rule->limits.low < 0.0)
        faults_.add(field,
                    std::format("'{}' may be negative, {}: what is shared starts at 0", output, show(rule->limits)));
      low += rule->limits.low;
      safe += rule->safe_value;
    }
    check_explorers(path, budget);
    if (faults_.faulty(path + ".limit") || budget.limit <= 0.0) return check_priorities(path, budget);
    if (low > budget.limit)
      faults_.add(path + ".limit", std::format("{} is below {}, what the outputs' lower limits are together",
                                               show_number(budget.limit), show_number(low)));
    if (safe > budget.limit)
      faults_.add(path + ".limit", std::format("{} is below {}, what the outputs' safe values are together",
                                               show_number(budget.limit), show_number(safe)));
    check_priorities(path, budget);
  }

  // What one tries takes from the others: agents that share a budget are coupled, whether a group says so or not.
  void check_explorers(const std::string& path, const Budget& budget) {
    std::set<std::string> explorers;
    for (std::size_t i = 0; i < budget.outputs.size(); ++i) {
      const auto owner = site_.find_owner(budget.outputs[i]);
      if (!owner || !site_.agents[*owner].learning.explore) continue;
      explorers.insert(site_.agents[*owner].id);
      if (explorers.size() > 1)
        return faults_.add(std::format("{}.outputs[{}]", path, i),
                           std::format("agents '{}' and '{}' share it and both explore; one explores at a time",
                                       shown(*explorers.begin()), shown(*explorers.rbegin())));
    }
  }

  void check_priorities(const std::string& path, const Budget& budget) {
    constexpr double kRounding = 1e-6;
    double sum = 0.0;
    bool complete = true;
    for (const auto& [output, priority] : budget.priorities) {
      const std::string field = std::format("{}.priorities.{}", path, shown(output));
      if (std::ranges::find(budget.outputs, output) == budget.outputs.end())
        faults_.add(field, "is not an output of this budget");
      if (!(priority > 0.0 && priority < 1.0) && !faults_.faulty(field))
        faults_.add(field, std::format("{} must be more than 0 and less than 1", show_number(priority)));
      complete = complete && !faults_.faulty(field);
      sum += priority;
    }
    for (const std::string& output : budget.outputs)
      if (!budget.priorities.contains(output)) {
        faults_.add(path + ".priorities", std::format("has no part for '{}'", shown(output)));
        complete = false;
      }
    if (complete && std::abs(sum - 1.0) > kRounding)
      faults_.add(path + ".priorities", std::format("are {} together; they must be 1", show_number(sum)));
  }

  void check_group(const std::string& path, const Group& group) {
    check_list_name(path + ".name", group.name, group_names_);
    if (group.agents.size() < 2 && faults_.has(path + ".agents"))
      faults_.add(path + ".agents", "must name two agents at least");
    const std::vector<std::string_view> ids(agent_ids_.begin(), agent_ids_.end());
    std::string explorer;
    for (std::size_t i = 0; i < group.agents.size(); ++i) {
      const std::string field = std::format("{}.agents[{}]", path, i);
      const auto agent = std::ranges::find(site_.agents, group.agents[i], &Agent::id);
      if (agent == site_.agents.end()) {
        faults_.add(field,
                    std::format("there is no agent '{}'{}", shown(group.agents[i]), suggest(group.agents[i], ids)));
        continue;
      }
      if (const auto [other, fresh] = grouped_.try_emplace(agent->id, group.name); !fresh)
        faults_.add(field, std::format("'{}' already belongs to group '{}'", agent->id, shown(other->second)));
      if (!agent->learning.explore) continue;
      if (!explorer.empty())
        faults_.add(field, std::format("'{}' and '{}' both explore; in a group one agent explores at a time", agent->id,
                                       explorer));
      explorer = agent->id;
    }
  }

  const Site& site_;
  Faults& faults_;
  std::map<std::string, const Tag*> by_name_;
  std::vector<std::string> scalars_;  // names that expressions may use; empty for array tags
  std::set<std::string> agent_ids_, budget_names_, group_names_;
  std::map<std::string, std::string> budgeted_, grouped_;  // output or agent: the first that names it
  std::map<std::string, std::string> owners_;
};

}  // namespace

bool is_identifier(std::string_view text) {
  if (text.empty() || text.size() > 100 || std::isalnum(static_cast<unsigned char>(text[0])) == 0) return false;
  return std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
}

void check_site(const Site& site, Faults& faults) { Checker(site, faults).run(); }

}  // namespace rltune::config
