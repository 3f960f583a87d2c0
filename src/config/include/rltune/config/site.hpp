// One site as its engineer describes it in site.yaml: the connection, the tags, who decides what, and the
// guard's rules. Plain structs; loading and checking are in load_site(). The page docs/site.md is for users.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::config {

enum class ClockKind : std::uint8_t { wall, plant };

// What a tag is to the product.
enum class TagRole : std::uint8_t {
  measurement,  // read: a sensor
  exogenous,    // read: weather, prices, set-points that somebody else sets
  forecast,     // read: an array, one element a lead
  setpoint,     // written through the guard
  mode,         // read: who controls the output, from the DCS
  heartbeat,    // written by io itself: guard_alive, agent_alive
  clock         // read and written in lockstep: the plant's step counter and its advance
};

enum class Imputation : std::uint8_t { none, hold, value };

struct Range {
  double low = 0.0;
  double high = 0.0;
};

struct Tag {
  std::string name;
  std::string node;  // "nsu=urn:...;s=air_temperature"
  std::string unit;
  TagRole role = TagRole::measurement;
  std::size_t elements = 1;        // > 1 for arrays
  std::string forecasts;           // role forecast: the exogenous tag it predicts
  std::string issued;              // role forecast: the tag with the issue time, optional
  std::optional<Range> operating;  // outside: the sensor is wrong (measurement), the value is refused (setpoint)
  std::optional<Range> expected;   // outside: unusual, counted as a violation, allowed
  double stale_after_s = 0.0;      // 0: three agent periods
  double frozen_after_s = 0.0;     // 0: never; a flat line may be healthy
  double step_limit = 0.0;         // largest believable change between samples; 0: none
  bool uncertain_is_good = false;
  Imputation imputation = Imputation::hold;
  double imputation_value = 0.0;
  double imputation_max_s = 0.0;  // how long a replaced value may stand in; 0: three agent periods
};

struct Link {
  std::string protocol = "opcua";
  std::string url;  // opc.tcp://host:port
  std::string security =
      "Basic256Sha256";  // or Aes128_Sha256_RsaOaep, Aes256_Sha256_RsaPss; "None" needs allow_insecure
  bool allow_insecure = false;
  std::string server_application_uri;  // must be the one in the server's certificate
  std::filesystem::path pki;           // folder: own/, trusted/, rejected/; keys are made on first use
  std::string user;
  std::filesystem::path password_file;  // or password_env: never the password itself
  std::string password_env;
  double publishing_interval_ms = 100.0;
  // Negative: at every publishing, so that no change waits for a beat of its own first. 0: as fast as the server can.
  double sampling_interval_ms = -1.0;
  double inactivity_timeout_s = 2.0;  // a server that says nothing for so long is hung
  double call_timeout_s = 2.0;
  double reconnect_min_s = 0.1;
  double reconnect_max_s = 5.0;
};

struct Learning {
  bool enabled = false;
  std::string reward;                        // expression over tag names; previous(x) is the last decision's value
  std::map<std::string, std::string> costs;  // named parts, subtracted; reported apart
  double baseline_reward = 0.0;              // of a decision of what controlled before; gain counts against it. 0: none
  double checkpoint_minutes = 10.0;
  bool explore = false;                         // in automatic mode: only where the site allows it
  std::map<std::string, Range> explore_within;  // by set-point
  double weight_change_max = 0.2;               // relative 2-norm of a published step
};

struct Agent {
  std::string id;
  std::filesystem::path policy;  // artifact folder
  std::string plant;             // plant model whose names the policy and the fallback controller use: "lettuce"
  double period_s = 60.0;
  std::vector<std::string> outputs;             // set-point tags it owns; the policy's inputs by the bindings below
  std::map<std::string, std::string> bindings;  // policy's name -> tag, where they differ
  double agent_alive_timeout_s = 0.0;           // 0: two periods and half a second
  std::string fallback = "hold";                // off | hold | rule | pid ..., with the parameters below
  std::map<std::string, double> fallback_parameters;
  double hold_s = 0.0;       // how long io holds before the fallback controller runs
  double season_days = 0.0;  // for the progress feature; 0: continuing
  std::string season_start;  // RFC 3339
  Learning learning;
};

// Guard rules of one set-point.
struct OutputRule {
  std::string tag;
  Range limits;
  double rate_per_s = 0.0;  // largest change a second; 0: none
  double step_max = 0.0;    // largest change a decision; 0: none
  double on_above = 0.0;    // "on" for the run-time rules
  double minimum_on_s = 0.0;
  double minimum_off_s = 0.0;
  double starts_per_hour = 0.0;     // 0: no limit
  double safe_value = 0.0;          // written when an interlock trips
  std::string mode_tag;             // the DCS's mode tag for this output, optional
  std::vector<double> mode_remote;  // its values that mean "remote, ours"
};

// A condition that must hold; when it does not, or cannot be told, the outputs go to their safe values.
struct Interlock {
  std::string name;
  std::string require;               // expression over tag names: "air_temperature < 38"
  std::vector<std::string> outputs;  // empty: all
};

struct Guard {
  std::string mode = "shadow";  // at start: manual | shadow | advisory | automatic
  std::vector<OutputRule> outputs;
  std::vector<Interlock> interlocks;
  std::string guard_alive;  // heartbeat tag io writes
  std::string agent_alive;  // heartbeat tag written only while the agent decides
  double heartbeat_s = 1.0;
};

struct Storage {
  std::filesystem::path folder = "data";
  std::filesystem::path audit_heads;  // from v2; empty: heads stay on this host
  bool encrypted = false;             // from v2: who did what and why
  std::filesystem::path key_file;     // from v2; empty: from the environment or systemd
  double raw_days = 7.0;
  double minute_days = 7.0;
  double five_minute_days = 90.0;
  double size_max_gb = 0.0;
};

// Lockstep on a twin: the tags its clock lives in.
struct PlantClock {
  std::string step;     // read: counts up after every step
  std::string advance;  // written: the step to go to
};

// What several set-points share, for example the heat of one boiler. The guard keeps their sum below it. Of the agents
// whose outputs share one, at most one explores.
struct Budget {
  std::string name;
  std::string unit;
  double limit = 0.0;
  std::vector<std::string> outputs;
  std::map<std::string, double> priorities;  // by output; together 1
};

// Agents that act on the same process: at most one of them explores.
struct Group {
  std::string name;
  std::vector<std::string> agents;
};

// What tools on the same machine see of every role.
struct Operations {
  bool endpoints = true;  // /metrics and /healthcheck on 127.0.0.1, a port a role
  std::size_t port = 0;   // coredinator's; 0: one that is free, as the other roles take
};

// How often one operation of the API may be called, beside the limit of all of them.
struct CallLimit {
  std::string operation;  // "listSamples"
  double calls_per_s = 10.0, calls_burst = 20.0;
};

// The site's public port: HTTPS for people and programs.
struct Gateway {
  bool enabled = false;
  std::string address = "127.0.0.1";
  std::size_t port = 8443;
  std::filesystem::path certificate_file, key_file;  // PEM; empty: made by the gateway
  double calls_per_s = 50.0, calls_burst = 200.0;    // of an address, and of an account
  std::vector<CallLimit> limits;                     // over those that the gateway has by itself
  std::vector<std::string> exempt_addresses;         // of clients without limits
  std::vector<std::string> allowed_origins;          // of pages of others that may call: "https://hmi.example.com"
  std::filesystem::path ui_folder;                   // empty: that of the installed version
};

struct Site {
  std::string schema = "rltune/site/v2";
  std::string name;
  ClockKind clock = ClockKind::wall;
  PlantClock plant_clock;
  Link link;
  std::vector<Tag> tags;
  std::vector<Agent> agents;
  Guard guard;
  Storage storage;
  std::vector<Budget> budgets;   // from v2
  std::vector<Group> groups;     // from v2
  Operations operations;         // from v2
  Gateway gateway;               // from v2
  std::filesystem::path folder;  // of the file: relative paths start here; filled by load_site()

  // Index into tags, or nothing.
  std::optional<std::size_t> find_tag(const std::string& name) const;
  // The agent that owns a set-point, or nothing.
  std::optional<std::size_t> find_owner(const std::string& setpoint) const;
  // With the defaults filled in: three periods of the fastest agent, at least a second. A stale limit of 0 means
  // never: modes, set-points, heartbeats and clocks may rightly stand still, so theirs must be asked for.
  double stale_after_s(const Tag& tag) const;
  double imputation_max_s(const Tag& tag) const;
  // storage.key_file as an absolute path, or empty.
  std::filesystem::path key_file() const;
};

// Strict: unknown fields, wrong types, values out of range, references to tags that do not exist.
// The error lists every fault, one a line: "site.yaml:12: tags[3].role: 'sensor' is not one of
// measurement, exogenous, ...".
Result<Site> load_site(const std::filesystem::path& file);
Result<Site> parse_site(const std::string& yaml, const std::filesystem::path& name_in_errors);

}  // namespace rltune::config
