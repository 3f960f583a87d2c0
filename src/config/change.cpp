#include "rltune/config/change.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <map>
#include <set>
#include <span>

#include "document_reader.hpp"
#include "field_lister.hpp"
#include "words.hpp"

namespace rltune::config {
namespace {

// Who holds a copy of a field: `by` must start again to take over another value, `live` takes it over as it runs.
enum Holder : unsigned {
  nobody = 0,
  coredinator = 1,
  io = 2,
  agent = 4,
  learner = 8,
  heads = 16,
  keeper = 32,
  telemetry = 64,
  gateway = 128
};
constexpr unsigned kEveryRole = coredinator | io | agent | learner;

struct Held {
  std::string_view field;  // and all below it, as far as no longer entry names them
  unsigned by;
  unsigned live = nobody;
};
constexpr std::array kHeld{
    Held{"schema", nobody},
    Held{"name", kEveryRole | telemetry | gateway},
    Held{"clock", io | agent | learner},
    Held{"plant_clock", io | agent | learner},
    Held{"link", io},
    Held{"tags", io | agent | learner | gateway},
    Held{"agents", kEveryRole},
    Held{"agents[].policy", agent | learner},
    Held{"agents[].plant", io | agent | learner},
    Held{"agents[].period_s", io | agent | learner},
    Held{"agents[].outputs", io | agent | learner},
    Held{"agents[].bindings", io | agent | learner},
    Held{"agents[].agent_alive_timeout_s", nobody, io},
    Held{"agents[].fallback", io},
    Held{"agents[].fallback_parameters", io},
    Held{"agents[].hold_s", nobody, io},
    Held{"agents[].season_days", io | agent | learner},
    Held{"agents[].season_start", io | agent | learner},
    Held{"agents[].learning", agent | learner},
    Held{"agents[].learning.enabled", coredinator | agent | learner},
    Held{"agents[].learning.baseline_reward", io},
    Held{"guard", io},
    Held{"guard.mode", nobody},  // of the first start alone; afterwards it is what was last set
    Held{"guard.outputs", nobody, io},
    Held{"guard.interlocks", nobody, io},
    Held{"guard.heartbeat_s", agent, io},
    Held{"storage", io},
    Held{"storage.audit_heads", heads},
    Held{"storage.encrypted", coredinator | io | gateway},
    Held{"storage.key_file", coredinator | io | gateway},
    Held{"storage.folder", io | agent | learner | telemetry | gateway},
    Held{"budgets", nobody, io},
    Held{"operations", kEveryRole | telemetry | gateway},
    Held{"operations.port", coredinator},
    Held{"gateway", gateway},
    Held{"gateway.enabled", coredinator},
    Held{"groups", nobody},  // a rule between fields, which loading checks
};
// What roles follow as they run. Nobody: it is read at every use, or nobody acts on it yet.
constexpr std::array kHeldTelemetry{
    Held{"schema", nobody},
    Held{"level", nobody, keeper | kEveryRole | telemetry | gateway},
    Held{"levels.keeper", nobody, keeper},
    Held{"levels.coredinator", nobody, coredinator},
    Held{"levels.io", nobody, io},
    Held{"levels.agent", nobody, agent},
    Held{"levels.learner", nobody, learner},
    Held{"levels.telemetry", nobody, telemetry},
    Held{"levels.gateway", nobody, gateway},
    Held{"traces", nobody, kEveryRole | telemetry | gateway},
    Held{"forward", telemetry},
    Held{"collect", telemetry},
    Held{"collect.enabled", coredinator},
    Held{"metrics", telemetry},
    Held{"sinks", telemetry},
};
constexpr std::array kHeldRetention{
    Held{"schema", nobody},
    Held{"decisions_days", nobody, io},
    Held{"audit_days", nobody, kEveryRole | gateway},
    Held{"checkpoints", nobody, learner},
    Held{"logs_days", nobody, keeper},
    Held{"logs_max_mb", nobody, keeper},
    Held{"free_min_gb", nobody, keeper},
    Held{"backups", nobody},  // `rltune backup create` reads it each time
};
constexpr std::array kHeldAlerts{Held{"", telemetry}, Held{"schema", nobody}};
constexpr std::array kHeldUsers{
    Held{"schema", nobody},
    Held{"users", nobody, gateway},
    Held{"sign_in", gateway},
    Held{"oauth", nobody, gateway},
};

std::span<const Held> held_of(Kind kind) {
  switch (kind) {
    case Kind::site:
      return kHeld;
    case Kind::telemetry:
      return kHeldTelemetry;
    case Kind::retention:
      return kHeldRetention;
    case Kind::alerts:
      return kHeldAlerts;
    case Kind::users:
      break;
  }
  return kHeldUsers;
}

FieldLister::Fields fields_of(const std::string& yaml, Kind kind) {
  FieldLister::Fields fields;
  FieldLister lister("", fields);
  Faults faults("", newest_version(kind));
  const auto tree = parse_yaml(yaml);
  with_kind(kind, [&]<typename T>(T) {
    T value = read_document<T>(*tree, faults);
    describe(lister, value);
  });
  return fields;
}

// "agents[climate].period_s" -> "agents[].period_s", and the name between the first brackets.
std::string pattern_of(const std::string& field, std::string& item) {
  std::string pattern;
  bool in_name = false;
  for (const char c : field) {
    if (c == ']') in_name = false;
    if (!in_name) pattern += c;
    if (in_name && std::ranges::count(pattern, '[') == 1) item += c;
    if (c == '[') in_name = true;
  }
  return pattern;
}

bool covers(std::string_view entry, std::string_view pattern) {
  return entry.empty() ||
         (pattern.starts_with(entry) &&
          (pattern.size() == entry.size() || pattern[entry.size()] == '.' || pattern[entry.size()] == '['));
}

Held holders(Kind kind, std::string_view pattern) {
  const Held* best = nullptr;
  for (const Held& held : held_of(kind))
    if (covers(held.field, pattern) && (best == nullptr || held.field.size() > best->field.size())) best = &held;
  return best == nullptr ? Held{pattern, kEveryRole} : *best;
}

std::vector<std::string> roles_of(unsigned holders, const std::string& item) {
  std::vector<std::string> roles;
  if ((holders & keeper) != 0) roles.emplace_back("keeper");
  if ((holders & coredinator) != 0) roles.emplace_back("coredinator");
  if ((holders & io) != 0) roles.emplace_back("io");
  if ((holders & agent) != 0) roles.push_back("agent." + item);
  if ((holders & learner) != 0) roles.push_back("learner." + item);
  if ((holders & telemetry) != 0) roles.emplace_back("telemetry");
  if ((holders & gateway) != 0) roles.emplace_back("gateway");
  if ((holders & heads) != 0) roles.emplace_back("heads");
  return roles;
}

// `came_or_went`: the whole item of a list is new or gone.
void tell_holders(Kind kind, bool came_or_went, Change& change) {
  std::string item;
  const std::string pattern = pattern_of(change.field, item);
  const bool of_agent = pattern.starts_with("agents[]");
  const Held held = came_or_went && of_agent ? holders(kind, "agents") : holders(kind, pattern);
  if (!of_agent) item = "*";
  change.restarts = roles_of(held.by, item);
  // A rule of a set-point that was none before comes with the tag, and with who takes that over.
  change.live = roles_of(held.live, item);
}

// The part of a field that names the item it belongs to: "tags[heating].unit" -> "tags[heating]".
std::string item_of(const std::string& field) { return field.substr(0, field.find(']') + 1); }

std::set<std::string> items_of(const FieldLister::Fields& fields) {
  std::set<std::string> items;
  for (const auto& [field, value] : fields)
    if (field.find(']') != std::string::npos) items.insert(item_of(field));
  return items;
}

Result<Kind> kind_of(const std::string& yaml, const char* which) {
  const Checked checked = check(yaml);
  if (checked.faults.empty()) return checked.schema.kind;
  return fail(Errc::invalid_argument, to_text(which, checked.faults));
}

}  // namespace

void FieldLister::add(std::string_view name, double value) { add(name, show_number(value)); }

void FieldLister::text_list(std::string_view name, const std::vector<std::string>& values, Need, std::string_view) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : ", ") + value;
  add(name, "[" + text + "]");
}

void FieldLister::number_list(std::string_view name, const std::vector<double>& values, std::string_view) {
  std::string text;
  for (const double value : values) text += (text.empty() ? "" : ", ") + show_number(value);
  add(name, "[" + text + "]");
}

void FieldLister::text_map(std::string_view name, const std::map<std::string, std::string>& values, std::string_view) {
  for (const auto& [key, value] : values) add(std::format("{}.{}", name, key), value);
}

void FieldLister::number_map(std::string_view name, const std::map<std::string, double>& values, std::string_view) {
  for (const auto& [key, value] : values) add(std::format("{}.{}", name, key), value);
}

void FieldLister::range_map(std::string_view name, const std::map<std::string, Range>& values, std::string_view) {
  for (const auto& [key, value] : values) {
    add(std::format("{}.{}.low", name, key), value.low);
    add(std::format("{}.{}.high", name, key), value.high);
  }
}

Result<std::vector<Change>> changes(const std::string& was, const std::string& is) {
  const auto kind = kind_of(is, "new");
  if (!kind) return std::unexpected(kind.error());
  FieldLister::Fields before;
  if (!was.empty()) {
    const auto old_kind = kind_of(was, "old");
    if (!old_kind) return std::unexpected(old_kind.error());
    if (*old_kind != *kind)
      return fail(Errc::invalid_argument,
                  std::format("one file is of kind {}, the other of kind {}", to_string(*old_kind), to_string(*kind)));
    before = fields_of(was, *kind);
  }
  const FieldLister::Fields after = fields_of(is, *kind);
  const std::set<std::string> old_items = items_of(before), new_items = items_of(after);
  const std::map<std::string, std::string> old_values(before.begin(), before.end());
  std::map<std::string, std::string> gone = old_values;
  std::vector<Change> out;
  const auto add = [&](const std::string& field, const std::string& old_value, const std::string& new_value) {
    const bool whole = field.find(']') != std::string::npos &&
                       old_items.contains(item_of(field)) != new_items.contains(item_of(field));
    out.push_back({.field = field, .was = old_value, .is = new_value, .restarts = {}, .live = {}});
    tell_holders(*kind, whole, out.back());
  };
  for (const auto& [field, value] : after) {
    const auto old = old_values.find(field);
    gone.erase(field);
    if (old == old_values.end() || old->second != value)
      add(field, old == old_values.end() ? std::string() : old->second, value);
  }
  for (const auto& [field, value] : gone) add(field, value, {});
  return out;
}

namespace {

std::vector<std::string> in_order(const std::set<std::string>& all) {
  constexpr std::array<std::string_view, 8> kOrder{"keeper",  "coredinator", "io",      "agent",
                                                   "learner", "telemetry",   "gateway", "heads"};
  std::vector<std::string> out;
  for (const std::string_view kind : kOrder) {
    const bool every = all.contains(std::string(kind) + ".*");
    for (const std::string& role : all)
      if (role.substr(0, role.find('.')) == kind && (!every || role.ends_with(".*"))) out.push_back(role);
  }
  return out;
}

}  // namespace

std::vector<std::string> restarts(const std::vector<Change>& changes) {
  std::set<std::string> all;
  for (const Change& change : changes) all.insert(change.restarts.begin(), change.restarts.end());
  return in_order(all);
}

std::vector<std::string> live(const std::vector<Change>& changes) {
  const std::vector<std::string> started_anew = restarts(changes);
  std::set<std::string> all;
  for (const Change& change : changes)
    for (const std::string& role : change.live)
      if (std::ranges::find(started_anew, role) == started_anew.end()) all.insert(role);
  return in_order(all);
}

}  // namespace rltune::config
