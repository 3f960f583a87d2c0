// Every field of site.yaml, once; field_types.hpp says how.
#pragma once

#include <array>

#include "field_types.hpp"
#include "rltune/config/site.hpp"

namespace rltune::config {

inline constexpr std::array kClockWords{Word{"wall", static_cast<int>(ClockKind::wall)},
                                        Word{"plant", static_cast<int>(ClockKind::plant)}};
inline constexpr std::array kRoleWords{Word{"measurement", static_cast<int>(TagRole::measurement)},
                                       Word{"exogenous", static_cast<int>(TagRole::exogenous)},
                                       Word{"forecast", static_cast<int>(TagRole::forecast)},
                                       Word{"setpoint", static_cast<int>(TagRole::setpoint)},
                                       Word{"mode", static_cast<int>(TagRole::mode)},
                                       Word{"heartbeat", static_cast<int>(TagRole::heartbeat)},
                                       Word{"clock", static_cast<int>(TagRole::clock)}};
inline constexpr std::array kImputationWords{Word{"none", static_cast<int>(Imputation::none)},
                                             Word{"hold", static_cast<int>(Imputation::hold)},
                                             Word{"value", static_cast<int>(Imputation::value)}};

inline constexpr std::array kModeWords{Synonym{"manual", "manual"}, Synonym{"shadow", "shadow"},
                                       Synonym{"advisory", "advisory"}, Synonym{"automatic", "automatic"},
                                       Synonym{"auto", "automatic"}};
inline constexpr std::array kProtocolWords{Synonym{"opcua", "opcua"}};
inline constexpr std::array kSecurityWords{
    Synonym{"Basic256Sha256", "Basic256Sha256"}, Synonym{"Aes128_Sha256_RsaOaep", "Aes128_Sha256_RsaOaep"},
    Synonym{"Aes256_Sha256_RsaPss", "Aes256_Sha256_RsaPss"}, Synonym{"None", "None"}};
inline constexpr std::array kFallbackWords{
    Synonym{"off", "off"},       Synonym{"hold", "hold"}, Synonym{"schedule", "schedule"},
    Synonym{"grower", "grower"}, Synonym{"rule", "rule"}, Synonym{"pid", "pid"},
    Synonym{"mpc", "mpc"}};
inline constexpr std::array kSiteSchemas{Synonym{"rltune/site/v1", "rltune/site/v1"},
                                         Synonym{"rltune/site/v2", "rltune/site/v2"}};

template <typename Visitor>
void describe(Visitor& v, Range& range) {
  v.number("low", range.low, kAny, Need::required, "lower end, in the tag's unit");
  v.number("high", range.high, kAny, Need::required, "upper end, in the tag's unit");
}

template <typename Visitor>
void describe(Visitor& v, Tag& tag) {
  v.text("name", tag.name, Need::required, "the site's name for the value: letters, digits and _; expressions use it");
  v.text("node", tag.node, Need::required,
         "where it lives: nsu=<namespace URI>;s=<identifier>, then [3] or .Field if needed");
  v.text("unit", tag.unit, Need::optional,
         "must equal the server's engineering unit where it has one; 1 for a pure number");
  v.choice("role", tag.role, kRoleWords, "what the tag is to the product");
  v.count("elements", tag.elements, Bounds{.low = 1, .high = 100000}, "length of an array tag");
  v.text("forecasts", tag.forecasts, Need::optional, "role forecast: the exogenous tag it predicts");
  v.text("issued", tag.issued, Need::optional, "role forecast: the tag with the time of issue");
  v.optional("operating", tag.operating, "outside it a measurement is wrong and a set-point is refused");
  v.optional("expected", tag.expected, "outside it a value is unusual: counted as a violation, and used");
  v.number("stale_after_s", tag.stale_after_s, kNotNegative, Need::optional,
           "older than this is stale; 0: three agent periods");
  v.number("frozen_after_s", tag.frozen_after_s, kNotNegative, Need::optional,
           "unchanged for this long is frozen; 0: never, for values that may stand still");
  v.number("step_limit", tag.step_limit, kNotNegative, Need::optional,
           "largest believable change between two samples; 0: no limit");
  v.flag("uncertain_is_good", tag.uncertain_is_good, "take OPC UA's quality Uncertain as good");
  v.choice("imputation", tag.imputation, kImputationWords, "what stands in for an unusable value");
  v.number("imputation_value", tag.imputation_value, kAny, Need::optional, "the stand-in of imputation: value");
  v.number("imputation_max_s", tag.imputation_max_s, kNotNegative, Need::optional,
           "how long a stand-in may last; 0: three agent periods");
}

template <typename Visitor>
void describe(Visitor& v, Link& link) {
  v.word("protocol", link.protocol, kProtocolWords, "how the plant is spoken to");
  v.text("url", link.url, Need::required, "opc.tcp://host:port");
  v.word("security", link.security, kSecurityWords,
         "OPC UA security policy, always sign and encrypt; None needs allow_insecure");
  v.flag("allow_insecure", link.allow_insecure, "permits security: None, where nothing is signed or secret");
  v.text("server_application_uri", link.server_application_uri, Need::optional,
         "the URI the server's certificate must carry");
  v.path("pki", link.pki, Need::optional, "folder with own/, trusted/ and rejected/; our key is made on first use");
  v.text("user", link.user, Need::optional, "user name; the password comes from password_file or password_env");
  v.secret_file("password_file", link.password_file, "file that holds the password");
  v.secret_variable("password_env", link.password_env, "environment variable that holds the password");
  v.number("publishing_interval_ms", link.publishing_interval_ms, Bounds{.low = 1, .high = 3.6e6}, Need::optional,
           "how often the server reports changes");
  v.number("sampling_interval_ms", link.sampling_interval_ms, Bounds{.low = -1, .high = 3.6e6}, Need::optional,
           "how often the server looks at a value; -1: at every publishing; 0: as fast as it can");
  v.number("inactivity_timeout_s", link.inactivity_timeout_s, Bounds{.low = 0.05, .high = 3600}, Need::optional,
           "a server that says nothing for so long is hung");
  v.number("call_timeout_s", link.call_timeout_s, Bounds{.low = 0.01, .high = 600}, Need::optional,
           "longest wait for an answer");
  v.number("reconnect_min_s", link.reconnect_min_s, Bounds{.low = 0.001, .high = 3600}, Need::optional,
           "first wait before reconnecting");
  v.number("reconnect_max_s", link.reconnect_max_s, Bounds{.low = 0.001, .high = 3600}, Need::optional,
           "longest wait between attempts");
}

template <typename Visitor>
void describe(Visitor& v, Learning& learning) {
  v.flag("enabled", learning.enabled, "go on learning beside the loop, from what was applied");
  v.text("reward", learning.reward, Need::optional,
         "expression over tag names; previous(x) is x at the decision before");
  v.text_map("costs", learning.costs, "named expressions, subtracted from the reward and reported apart");
  if (v.since(2, "baseline_reward"))
    v.number("baseline_reward", learning.baseline_reward, kAny, Need::optional,
             "reward of a decision of what controlled before: business value's gain counts against it; 0: none");
  v.number("checkpoint_minutes", learning.checkpoint_minutes, Bounds{.low = 0, .high = 10080, .low_open = true},
           Need::optional, "time between checkpoints");
  v.flag("explore", learning.explore, "try other actions in automatic mode; needs explore_within");
  v.range_map("explore_within", learning.explore_within, "by set-point: exploration stays inside");
  v.number("weight_change_max", learning.weight_change_max, Bounds{.low = 0, .high = 10, .low_open = true},
           Need::optional, "largest relative change of the weights that may be published at once");
}

template <typename Visitor>
void describe(Visitor& v, Agent& agent) {
  v.text("id", agent.id, Need::required, "the agent's name");
  v.path("policy", agent.policy, Need::required, "folder of the policy artifact");
  v.text("plant", agent.plant, Need::optional, "plant model whose names the policy and the fallback controller use");
  v.number("period_s", agent.period_s, Bounds{.low = 0.001, .high = 604800}, Need::optional, "time between decisions");
  v.text_list("outputs", agent.outputs, Need::required, "set-points it owns; no other agent may name them");
  v.text_map("bindings", agent.bindings, "the policy's name: the site's tag, where they differ");
  v.number("agent_alive_timeout_s", agent.agent_alive_timeout_s, kNotNegative, Need::optional,
           "silent for so long it is lost; 0: two periods and half a second");
  v.word("fallback", agent.fallback, kFallbackWords, "controller that takes over from a lost agent");
  v.number_map("fallback_parameters", agent.fallback_parameters, "the fallback controller's parameters");
  v.number("hold_s", agent.hold_s, kNotNegative, Need::optional,
           "outputs stay for so long before the fallback takes over");
  v.number("season_days", agent.season_days, Bounds{.low = 0, .high = 3660}, Need::optional,
           "length of a season; 0: continuing");
  v.text("season_start", agent.season_start, Need::optional, "RFC 3339: 2026-02-09 or 2026-02-09T00:00:00Z");
  v.object("learning", agent.learning, Need::optional, "learning beside the loop");
}

template <typename Visitor>
void describe(Visitor& v, OutputRule& rule) {
  v.text("tag", rule.tag, Need::required, "the set-point");
  v.object("limits", rule.limits, Need::required, "nothing outside is ever written");
  v.number("rate_per_s", rule.rate_per_s, kNotNegative, Need::optional, "largest change a second; 0: no limit");
  v.number("step_max", rule.step_max, kNotNegative, Need::optional, "largest change a decision; 0: no limit");
  v.number("on_above", rule.on_above, kAny, Need::optional,
           "above it the output counts as on, for the three rules below");
  v.number("minimum_on_s", rule.minimum_on_s, kNotNegative, Need::optional, "once on, it stays on for so long");
  v.number("minimum_off_s", rule.minimum_off_s, kNotNegative, Need::optional, "once off, it stays off for so long");
  v.number("starts_per_hour", rule.starts_per_hour, Bounds{.low = 0, .high = 3600}, Need::optional,
           "most changes from off to on in any hour; 0: no limit");
  v.number("safe_value", rule.safe_value, kAny, Need::required,
           "written when an interlock trips, at once: it goes before every rate");
  v.text("mode_tag", rule.mode_tag, Need::optional, "the DCS's mode tag for this output");
  v.number_list("mode_remote", rule.mode_remote, "values of mode_tag that mean: ours to write");
}

template <typename Visitor>
void describe(Visitor& v, Interlock& interlock) {
  v.text("name", interlock.name, Need::required, "as it stands in the audit");
  v.text("require", interlock.require, Need::required, "expression that must be true: air_temperature < 38");
  v.text_list("outputs", interlock.outputs, Need::optional,
              "set-points that go to their safe values; all when left out");
}

template <typename Visitor>
void describe(Visitor& v, Guard& guard) {
  v.word("mode", guard.mode, kModeWords, "at start; auto is short for automatic");
  v.list("outputs", guard.outputs, Need::optional, "rules, one entry a set-point");
  v.list("interlocks", guard.interlocks, Need::optional, "conditions that must hold");
  v.text("guard_alive", guard.guard_alive, Need::optional, "heartbeat tag: the plant goes local when it stops");
  v.text("agent_alive", guard.agent_alive, Need::optional, "heartbeat tag: written only while the agent decides");
  v.number("heartbeat_s", guard.heartbeat_s, Bounds{.low = 0.01, .high = 3600}, Need::optional,
           "time between heartbeats");
}

template <typename Visitor>
void describe(Visitor& v, Storage& storage) {
  v.path("folder", storage.folder, Need::optional, "samples, decisions and checkpoints");
  if (v.since(2, "audit_heads"))
    v.path("audit_heads", storage.audit_heads, Need::optional,
           "where signed heads of the audit log are copied every 10 s: a folder of another host; empty: nowhere");
  if (v.since(2, "encrypted"))
    v.flag("encrypted", storage.encrypted,
           "who did what by hand, and why, is kept encrypted; the key is RLTUNE_STORAGE_KEY, the systemd credential "
           "rltune-storage-key or key_file");
  if (v.since(2, "key_file"))
    v.secret_file("key_file", storage.key_file, "file that holds the key, made by: rltune site key FILE");
  v.number("raw_days", storage.raw_days, Bounds{.low = 0, .high = 36600, .low_open = true}, Need::optional,
           "samples are kept so long");
  v.number("minute_days", storage.minute_days, Bounds{.low = 0, .high = 36600, .low_open = true}, Need::optional,
           "minute figures are kept so long");
  v.number("five_minute_days", storage.five_minute_days, Bounds{.low = 0, .high = 36600, .low_open = true},
           Need::optional, "five-minute figures are kept so long; hours stay for ever");
  v.number("size_max_gb", storage.size_max_gb, Bounds{.low = 0, .high = 1e6}, Need::optional,
           "oldest samples go when it is passed; 0: no limit");
}

template <typename Visitor>
void describe(Visitor& v, PlantClock& clock) {
  v.text("step", clock.step, Need::required, "tag that counts up after every step of the plant");
  v.text("advance", clock.advance, Need::required, "tag to write the step to go to");
}

template <typename Visitor>
void describe(Visitor& v, Budget& budget) {
  v.text("name", budget.name, Need::required, "what is shared: total_heating");
  v.text("unit", budget.unit, Need::optional, "of the limit; must equal the unit of every output");
  v.number("limit", budget.limit, kPositive, Need::required, "the outputs together never ask the plant for more");
  v.text_list("outputs", budget.outputs, Need::required, "the set-points that share it, two at least");
  v.number_map("priorities", budget.priorities,
               "by output, the part of the limit that is its own when all want more; together 1");
}

template <typename Visitor>
void describe(Visitor& v, Group& group) {
  v.text("name", group.name, Need::required, "what couples the agents: north_compartment");
  v.text_list("agents", group.agents, Need::required,
              "ids of agents that act on the same process: one of them explores");
}

template <typename Visitor>
void describe(Visitor& v, Operations& operations) {
  v.flag("endpoints", operations.endpoints, "serve /metrics and /healthcheck of every role on 127.0.0.1");
  v.count("port", operations.port, Bounds{.low = 0, .high = 65535},
          "coredinator's, whose /healthcheck is the whole site's; 0: one that is free, as every other role's");
}

template <typename Visitor>
void describe(Visitor& v, CallLimit& limit) {
  v.text("operation", limit.operation, Need::required, "its name in the API's description: listSamples");
  v.number("calls_per_s", limit.calls_per_s, Bounds{.low = 0.01, .high = 100000}, Need::required,
           "so many calls of it a second by an account; where nobody is signed in, from an address");
  v.number("calls_burst", limit.calls_burst, Bounds{.low = 1, .high = 100000}, Need::optional,
           "so many at once after a rest");
}

template <typename Visitor>
void describe(Visitor& v, Gateway& gateway) {
  v.flag("enabled", gateway.enabled, "serve the API over HTTPS, for who stands in users.yaml");
  v.text("address", gateway.address, Need::optional, "of this host; 0.0.0.0: every one of it");
  v.count("port", gateway.port, Bounds{.low = 0, .high = 65535}, "0: one that is free");
  v.path("certificate_file", gateway.certificate_file, Need::optional,
         "of HTTPS, in PEM; none: the gateway makes one that it signs itself");
  v.secret_file("key_file", gateway.key_file, "the certificate's key, in PEM; none: it is in the same file");
  v.number("calls_per_s", gateway.calls_per_s, Bounds{.low = 0.1, .high = 100000}, Need::optional,
           "so many calls a second from an address, and of an account");
  v.number("calls_burst", gateway.calls_burst, Bounds{.low = 1, .high = 100000}, Need::optional,
           "so many at once after a rest");
  v.list("limits", gateway.limits, Need::optional, "of single operations, in place of the gateway's own");
  v.text_list("exempt_addresses", gateway.exempt_addresses, Need::optional,
              "clients that no limit counts, whoever calls from there: 10.0.0.7; no names, no ranges");
  v.text_list(
      "allowed_origins", gateway.allowed_origins, Need::optional,
      "pages from elsewhere that may call the API with a token: https://host or https://host:port; none: no other");
  v.path("ui_folder", gateway.ui_folder, Need::optional,
         "built files of a user interface, with an index.html; none: those of the installed version");
}

template <typename Visitor>
void describe(Visitor& v, Site& site) {
  v.schema(site.schema, kSiteSchemas);
  v.text("name", site.name, Need::required, "the site's name");
  v.choice("clock", site.clock, kClockWords, "wall: real time; plant: in lockstep with a twin's clock");
  v.object("plant_clock", site.plant_clock, Need::optional, "clock: plant only, the tags the twin's clock lives in");
  v.object("link", site.link, Need::required, "the connection to the plant");
  v.list("tags", site.tags, Need::required, "every value that is read or written");
  v.list("agents", site.agents, Need::optional, "who decides what");
  v.object("guard", site.guard, Need::optional, "rules that every write must pass");
  v.object("storage", site.storage, Need::optional, "what is kept, and for how long");
  if (v.since(2, "budgets")) v.list("budgets", site.budgets, Need::optional, "limits that several set-points share");
  if (v.since(2, "groups")) v.list("groups", site.groups, Need::optional, "agents that act on the same process");
  if (v.since(2, "operations"))
    v.object("operations", site.operations, Need::optional, "what Prometheus and health checks see");
  if (v.since(2, "gateway")) v.object("gateway", site.gateway, Need::optional, "the site's public port");
}

}  // namespace rltune::config
