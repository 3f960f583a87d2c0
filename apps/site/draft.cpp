#include "draft.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <format>
#include <map>
#include <set>

#include "rltune/config/expression.hpp"

namespace rltune::site {
namespace {

using plant::BrowsedVariable;

constexpr std::string_view kRoles[] = {"measurement", "exogenous", "forecast", "setpoint",
                                       "mode",        "heartbeat", "clock"};

struct DraftTag {
  const BrowsedVariable* variable = nullptr;
  std::string name;
  config::TagRole role = config::TagRole::measurement;
  std::string forecasts;
};

struct LeftOut {
  const BrowsedVariable* variable;
  const char* why;
};

// "Air temperature" and "AirTemperature" become air_temperature.
std::string snake_case(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool new_word = std::isupper(c) != 0 && i > 0 && std::islower(static_cast<unsigned char>(text[i - 1])) != 0;
    if ((new_word || std::isalnum(c) == 0) && !out.empty() && out.back() != '_') out += '_';
    if (std::isalnum(c) != 0) out += static_cast<char>(std::tolower(c));
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  if (out.empty() || std::isdigit(static_cast<unsigned char>(out[0])) != 0) out = "tag_" + out;
  if (out.size() > 80) out.resize(80);
  return config::Expression::is_reserved(out) ? out + "_value" : out;
}

// Single quotes, and whatever could end the line replaced: a server's text is outside bytes.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += ' ';
      continue;
    }
    out += c;
    if (c == '\'') out += '\'';
  }
  return out + "'";
}

std::string comment(const std::string& text) {
  std::string out;
  for (const char c : text.substr(0, 120)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return out;
}

bool has_range(const BrowsedVariable& variable) {
  return variable.low && variable.high && std::isfinite(*variable.low) && std::isfinite(*variable.high) &&
         *variable.low < *variable.high;
}

bool ends_with_any(const std::string& name, std::initializer_list<std::string_view> endings) {
  return std::ranges::any_of(endings, [&](std::string_view ending) { return name.ends_with(ending); });
}

class Drafter {
 public:
  explicit Drafter(const std::vector<BrowsedVariable>& variables) {
    for (const BrowsedVariable& variable : variables) take(variable);
    for (DraftTag& tag : tags_) find_relations(tag);
  }

  std::string write(const std::string& name, const config::Link& link, bool gateway, DraftCounts& counts) {
    lockstep_ = has("clock_step", config::TagRole::clock) && has("clock_advance", config::TagRole::clock);
    write_head(name, link);
    text_ += "tags:\n";
    for (const DraftTag& tag : tags_) write_tag(tag);
    write_left_out();
    write_agents();
    write_guard();
    text_ += "storage:\n  folder: data\n  raw_days: 7\n";
    if (gateway) write_gateway();
    counts = {tags_.size(), outputs().size(), left_out_.size()};
    return text_;
  }

 private:
  void take(const BrowsedVariable& variable) {
    const std::string base = snake_case(variable.name);
    const auto leave = [&](const char* why) { left_out_.push_back({&variable, why}); };
    if (!variable.is_number) return leave("not a number");
    if (!variable.readable) return leave("this user may not read it");
    if (!variable.node.starts_with("nsu=")) return leave("part of the server itself");
    if (variable.node.ends_with('=')) return leave("its identifier is empty");
    if (!nodes_.insert(variable.node).second) return leave("the same node once more");
    DraftTag tag{.variable = &variable, .name = base};
    if (base == "clock_step" || (base == "clock_advance" && variable.writable)) {
      tag.role = config::TagRole::clock;
    } else if (variable.writable) {
      if (ends_with_any(base, {"_alive", "heartbeat", "watchdog"}))
        tag.role = config::TagRole::heartbeat;
      else if (variable.elements > 1)
        return leave("an array that can be written");
      else if (!has_range(variable))
        return leave("can be written and has no range on the server: give it one in guard.outputs");
      else
        tag.role = config::TagRole::setpoint;
    }
    tag.name = unique(base);
    tags_.push_back(tag);
  }

  std::string unique(const std::string& base) {
    std::string name = base;
    for (int i = 2; !names_.insert(name).second; ++i) name = std::format("{}_{}", base, i);
    return name;
  }

  bool has(const std::string& name, config::TagRole role) const {
    return std::ranges::any_of(tags_, [&](const DraftTag& tag) { return tag.name == name && tag.role == role; });
  }

  // X_forecast predicts X, and X_mode says who has X.
  void find_relations(DraftTag& tag) {
    if (tag.role != config::TagRole::measurement) return;
    const auto before = [&](std::string_view ending) { return tag.name.substr(0, tag.name.size() - ending.size()); };
    if (tag.name.ends_with("_mode") && has(before("_mode"), config::TagRole::setpoint))
      tag.role = config::TagRole::mode;
    if (!tag.name.ends_with("_forecast")) return;
    const auto target = std::ranges::find(tags_, before("_forecast"), &DraftTag::name);
    if (target == tags_.end() ||
        (target->role != config::TagRole::measurement && target->role != config::TagRole::exogenous))
      return;
    target->role = config::TagRole::exogenous;
    tag.role = config::TagRole::forecast;
    tag.forecasts = target->name;
  }

  std::vector<const DraftTag*> outputs() const {
    std::vector<const DraftTag*> found;
    for (const DraftTag& tag : tags_)
      if (tag.role == config::TagRole::setpoint) found.push_back(&tag);
    return found;
  }

  void write_head(const std::string& name, const config::Link& link) {
    text_ = std::format(
        "# A draft of a site, made of what {} shows. Go through every line marked CHECK, then:\n"
        "#   rltune site check FILE      names every fault with its line\n"
        "# docs/site.md explains every field.\n"
        "schema: rltune/site/v2\nname: {}\n",
        comment(link.url), name);
    if (lockstep_)
      text_ +=
          "# In step with the twin's clock, as fast as both can; `wall` for real time.\nclock: plant\nplant_clock: "
          "{step: clock_step, advance: clock_advance}\n";
    text_ += std::format("\nlink:\n  url: {}\n  security: {}\n", quoted(link.url), link.security);
    if (link.allow_insecure) text_ += "  allow_insecure: true\n";
    const auto field = [&](const char* key, const std::string& value) {
      if (!value.empty()) text_ += std::format("  {}: {}\n", key, quoted(value));
    };
    field("server_application_uri", link.server_application_uri);
    field("pki", link.pki.string());
    field("user", link.user);
    field("password_file", link.password_file.string());
    field("password_env", link.password_env);
    text_ += "\n";
  }

  void write_tag(const DraftTag& tag) {
    const BrowsedVariable& variable = *tag.variable;
    text_ += std::format("  - name: {}", tag.name);
    if (const std::string& about = variable.description.empty() ? variable.path : variable.description; !about.empty())
      text_ += std::format("   # {}", comment(about));
    text_ += std::format("\n    node: {}\n", quoted(variable.node));
    if (tag.role != config::TagRole::measurement)
      text_ += std::format("    role: {}\n", kRoles[static_cast<std::size_t>(tag.role)]);
    if (!variable.unit.empty()) text_ += std::format("    unit: {}\n", quoted(variable.unit));
    if (variable.elements > 1) text_ += std::format("    elements: {}\n", variable.elements);
    if (!tag.forecasts.empty()) text_ += std::format("    forecasts: {}\n", tag.forecasts);
    const bool is_value = tag.role == config::TagRole::measurement || tag.role == config::TagRole::exogenous ||
                          tag.role == config::TagRole::setpoint;
    if (is_value && has_range(variable))
      text_ += std::format("    operating: {{low: {}, high: {}}}\n", *variable.low, *variable.high);
  }

  void write_left_out() {
    if (left_out_.empty()) return;
    text_ += "\n# Left out:\n";
    for (const LeftOut& left : left_out_) text_ += std::format("#   {}   {}\n", comment(left.variable->node), left.why);
  }

  void write_agents() {
    text_ +=
        "\n# Who decides. CHECK: name the policy's folder and take the # away.\n#agents:\n#  - id: climate\n#    "
        "policy: policies/climate\n"
        "#    plant: lettuce\n#    period_s: 60\n";
    std::string names;
    for (const DraftTag* output : outputs()) names += (names.empty() ? "" : ", ") + output->name;
    text_ += std::format("#    outputs: [{}]\n#    fallback: hold\n", names);
  }

  void write_guard() {
    text_ += "\nguard:\n  mode: shadow   # judges and writes nothing; `rltune site mode FILE automatic` hands over\n";
    if (!outputs().empty()) text_ += "  outputs:\n";
    for (const DraftTag* output : outputs()) write_rule(*output);
    text_ +=
        "  # CHECK: what must hold for the outputs to be written; otherwise they go to their safe values.\n"
        "  #interlocks:\n  #  - name: too_hot\n  #    require: air_temperature < 38\n";
    write_heartbeat("guard_alive", "io");
    write_heartbeat("agent_alive", "agent");
    text_ += "\n";
  }

  void write_gateway() {
    text_ +=
        "\n# The API over HTTPS, for who stands in users.yaml. CHECK: 0.0.0.0 lets other machines in.\n"
        "gateway:\n  enabled: true\n  address: 127.0.0.1\n  port: 8443\n";
  }

  void write_rule(const DraftTag& output) {
    const BrowsedVariable& variable = *output.variable;
    text_ += std::format(
        "    - tag: {}\n      limits: {{low: {}, high: {}}}   # CHECK: the server's range; what the plant bears may be "
        "less\n"
        "      #rate_per_s: {}   # CHECK: largest change a second\n"
        "      safe_value: {}   # CHECK: written at once when an interlock trips\n",
        output.name, *variable.low, *variable.high, (*variable.high - *variable.low) / 600.0, *variable.low);
    if (has(output.name + "_mode", config::TagRole::mode))
      text_ += std::format(
          "      #mode_tag: {}_mode   # CHECK: which of its values mean that the output is ours\n      #mode_remote: "
          "[1]\n",
          output.name);
  }

  // guard_alive and agent_alive by name; any other heartbeat the engineer assigns.
  void write_heartbeat(const std::string& name, const char* who) {
    if (has(name, config::TagRole::heartbeat))
      text_ += std::format("  {}: {}\n", name, name);
    else
      text_ += std::format("  #{}: ...   # CHECK: a tag of role heartbeat that the plant watches; {} writes it\n", name,
                           who);
  }

  std::vector<DraftTag> tags_;
  std::vector<LeftOut> left_out_;
  std::set<std::string> names_, nodes_;
  bool lockstep_ = false;
  std::string text_;
};

}  // namespace

std::string draft_site(const std::string& name, const config::Link& link, const std::vector<BrowsedVariable>& variables,
                       bool gateway, DraftCounts& counts) {
  return Drafter(variables).write(name, link, gateway, counts);
}

std::string draft_users(const std::string& administrator) {
  return std::format(
      "# Who may sign in at the gateway. docs/gateway.md says what each role may.\nschema: rltune/users/v1\nusers:\n"
      "  - {{name: {0}, role: admin, password_hash_file: {1}}}\n",
      quoted(administrator), quoted("secrets/" + administrator));
}

}  // namespace rltune::site
