// A whole site of real processes: the lettuce twin, and io, coredinator, agent (and learner) under `rltune up`, over
// encrypted OPC UA. Everything lies in a folder of its own and dies with the test.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <format>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "child_process.hpp"
#include "plant_record.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/random.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/config/site.hpp"
#include "rltune/env/plants.hpp"
#include "rltune/historian/decision_log.hpp"
#include "rltune/plant/opcua_link.hpp"
#include "rltune/plant/opcua_pki.hpp"
#include "rltune/policy/artifact.hpp"
#include "rltune/v1/control.pb.h"
#include "rltune/v1/supervision.pb.h"
#include "temporary_folder.hpp"
#include "test_client.hpp"

namespace rltune::testing {

// The guard's rules of one set-point whose range is [low, high]: the lines that follow its tag in site.yaml.
using RuleWriter = std::function<std::string(const std::string& tag, double low, double high)>;

inline std::string whole_range(const std::string&, double low, double high) {
  return std::format("      limits: {{low: {}, high: {}}}\n      safe_value: {}\n", low, high, low);
}

// Tighter than what the plant itself would refuse, so that it is the guard which keeps them.
inline std::string tight_rule(const std::string&, double low, double high) {
  const double width = high - low;
  return whole_range("", low + 0.1 * width, high - 0.2 * width) + std::format("      step_max: {}\n", 0.05 * width);
}

// One of several agents, with a policy of its own that sets these alone.
struct PilotAgent {
  std::string id;
  std::vector<std::string> outputs;
};

struct PilotOptions {
  std::vector<PilotAgent> agents;  // empty: one, climate, that owns every set-point
  std::string plant = "lettuce";
  bool lockstep = true;
  double period_s = 1800.0;    // on the site's clock
  int days = 40;               // of the season
  double speed = 18'000.0;     // of a twin on the wall clock: a step of 1800 s takes 0.1 s
  double stale_after_s = 0.0;  // of every tag; 0: the product's default
  bool learning = false;
  std::string mode = "auto";
  std::string fallback = "hold";
  RuleWriter rule = whole_range;
  std::string interlocks;  // lines of site.yaml's guard.interlocks
  bool validated = true;
  std::uint64_t weights_seed = 1;
  std::vector<std::string> twin_arguments;
  bool peer = false;  // the plant is the greenhouse of tests/peers, made with another project's library
  std::string peer_certificate_uri = "urn:rltune:peer:server";  // which application the peer's certificate names
  std::vector<std::array<std::string, 2>> edits;                // of site.yaml: this text becomes that one
  std::function<void(policy::Artifact&)> change_policy;         // before it is saved
  std::string programs = RLTUNE_BIN_DIR;                        // of the site; the twin's are always those
};

// Leaves a task, and the plant that its policy knows of, these inputs only.
inline void keep_inputs(env::Task& task, env::PlantSpec& spec, const std::vector<std::string>& names) {
  std::vector<std::size_t> places(spec.inputs.size(), names.size());
  env::Space inputs;
  env::ActionLayout action;
  for (std::size_t i = 0; i < spec.inputs.size(); ++i) {
    if (std::ranges::find(names, spec.inputs[i].name) == names.end()) continue;
    places[i] = inputs.size();
    inputs.push_back(spec.inputs[i]);
    action.push_back(task.action[i]);
  }
  std::erase_if(task.observation, [&](const env::Feature& feature) {
    return feature.source == env::Feature::Source::input && places[feature.index] == names.size();
  });
  for (env::Feature& feature : task.observation)
    if (feature.source == env::Feature::Source::input) feature.index = places[feature.index];
  spec.inputs = inputs;
  task.action = action;
}

// A policy for a plant's task whose weights are arbitrary: what matters is that the same come out everywhere.
// `outputs`: of the plant's inputs those that it sets, and sees; empty for all.
inline policy::Artifact pilot_artifact(std::uint64_t seed, bool validated, const std::string& plant = "lettuce",
                                       const std::vector<std::string>& outputs = {}) {
  env::Task task = *env::make_task(plant);
  env::PlantSpec spec = (*env::make_plant(plant, 1))->spec();
  if (!outputs.empty()) keep_inputs(task, spec, outputs);
  policy::Artifact artifact;
  policy::Manifest& manifest = artifact.manifest;
  manifest.name = "pilot";
  manifest.created = "2026-01-01T00:00:00Z";
  manifest.plant = plant;
  manifest.plant_parameters_sha256 = env::parameters_sha256(spec);
  manifest.sample_period_s = spec.sample_period_s;
  manifest.measurements = spec.measurements;
  manifest.inputs = spec.inputs;
  manifest.exogenous = spec.exogenous;
  manifest.forecast_leads = task.forecast_leads;
  manifest.observation = task.observation;
  manifest.action = task.action;
  manifest.algorithm = "sac";
  manifest.validation.passed = validated;
  Random random(seed);
  nn::NetworkDescription& network = artifact.network;
  for (const env::Feature& feature : task.observation) {
    network.mean.push_back(static_cast<float>(0.5 * (feature.variable.low + feature.variable.high)));
    network.scale.push_back(static_cast<float>(4.0 / (feature.variable.high - feature.variable.low)));
  }
  network.clip = 10.0F;
  const std::size_t widths[] = {task.observation.size(), 32, 32, task.action.size()};
  for (std::size_t l = 0; l < 3; ++l) {
    nn::DenseLayer layer{widths[l],
                         widths[l + 1],
                         {},
                         std::vector<float>(widths[l + 1]),
                         l < 2 ? nn::Activation::relu : nn::Activation::tanh};
    const double reach = 1.0 / std::sqrt(static_cast<double>(widths[l]));
    for (std::size_t i = 0; i < layer.inputs * layer.outputs; ++i)
      layer.weight.push_back(static_cast<float>(random.uniform(-reach, reach)));
    network.layers.push_back(std::move(layer));
  }
  return artifact;
}

// Makes each output a steep triangle wave over a mixture of the sensors: with noisy sensors it is anywhere in the
// action box at every step, whatever the plant does.
inline void make_restless(policy::Artifact& artifact) {
  constexpr double kGain = 10.0, kReach = 64.0, kTooth = 0.5;
  constexpr auto kKinks = static_cast<std::size_t>(2.0 * kReach / kTooth);
  nn::NetworkDescription& network = artifact.network;
  const env::ObservationLayout& layout = artifact.manifest.observation;
  const std::size_t inputs = layout.size(), outputs = artifact.manifest.action.size(), width = kKinks * outputs;
  nn::DenseLayer kinks{inputs, width, std::vector<float>(inputs * width), std::vector<float>(width),
                       nn::Activation::relu};
  nn::DenseLayer waves{width, outputs, std::vector<float>(width * outputs), std::vector<float>(outputs, -3.0F),
                       nn::Activation::tanh};
  Random random(5);
  for (std::size_t output = 0; output < outputs; ++output) {
    std::vector<float> mixture(inputs);
    for (std::size_t i = 0; i < inputs; ++i)
      if (layout[i].source == env::Feature::Source::measurement)
        mixture[i] = static_cast<float>(random.uniform(0.5, 1.0) * (random.uniform() < 0.5 ? kGain : -kGain));
    for (std::size_t kink = 0; kink < kKinks; ++kink) {
      const std::size_t unit = output * kKinks + kink;
      std::ranges::copy(mixture, kinks.weight.begin() + static_cast<std::ptrdiff_t>(unit * inputs));
      kinks.bias[unit] = static_cast<float>(kReach - kTooth * static_cast<double>(kink));
      const double turn = kink == 0 ? 1.0 : kink % 2 == 1 ? -2.0 : 2.0;
      waves.weight[output * width + unit] = static_cast<float>(turn * 6.0 / kTooth);
    }
  }
  network.layers = {std::move(kinks), std::move(waves)};
}

class PilotSite {
 public:
  explicit PilotSite(PilotOptions options = {}) : options_(std::move(options)) {
    auto pki = plant::OpcuaPki::open(path("site/pki"));
    EXPECT_TRUE(pki && pki->identity({.application_uri = "urn:rltune:test:io"}, WallClock().now()));
    if (options_.agents.empty()) make_policy("site/policy", {});
    for (const PilotAgent& agent : options_.agents) make_policy("site/policy-" + agent.id, agent.outputs);
  }

  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  const std::string& policy_sha256() const { return sha256_; }
  std::string run_folder() const { return path("run"); }
  ChildProcess& up() { return *up_; }
  ChildProcess& twin() { return *twin_; }

  // A plant of another project, with keys that we make for it.
  void start_peer() {
    const auto server = plant::OpcuaPki::open(path("server"));
    const auto identity = server->identity(
        {.application_uri = options_.peer_certificate_uri, .hosts = {"localhost", "127.0.0.1"}}, WallClock().now());
    const auto ours = plant::OpcuaPki::open(path("site/pki"));
    ASSERT_TRUE(identity && ours && ours->trust_der(identity->certificate));
    ASSERT_TRUE(write_secret_file(path("peer-password"), "secret\n"));
    twin_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{"/usr/bin/node", std::string(RLTUNE_SOURCE_DIR) + "/tests/peers/greenhouse.mjs",
                                 "--port", std::to_string(free_port()), "--uri", "urn:rltune:peer:server", "--own",
                                 path("server/own"), "--trust", path("site/pki/own/cert.der"), "--folder", path("peer"),
                                 "--user", "operator", "--password", "secret"},
        path("twin.log"));
    // Before its object it may have a warning to say.
    auto line = twin_->read_line(std::chrono::seconds(60));
    while (line && !line->starts_with('{')) line = twin_->read_line(std::chrono::seconds(60));
    ASSERT_TRUE(line) << read_file(path("twin.log")).value_or("");
    ready_ = nlohmann::json::parse(*line);
    ready_["password_file"] = path("peer-password");
  }
  // What the peer took down of clients' writes to its set-points and heartbeats: "heating 60" a line.
  std::string peer_record() const { return read_file(path("peer/writes.log")).value_or(""); }
  // The twin, on the same port and in the same season when it is started again.
  void start_twin() {
    std::vector<std::string> command{std::string(RLTUNE_BIN_DIR) + "/rltune",
                                     "twin",
                                     "serve",
                                     "--plant",
                                     options_.plant,
                                     "--json",
                                     "--pki",
                                     path("server"),
                                     "--trust",
                                     path("site/pki/own/cert.der"),
                                     "--port",
                                     std::to_string(port_),
                                     "--state",
                                     path("season.journal"),
                                     "--state-sync",
                                     "0",
                                     "--clock",
                                     options_.lockstep ? "plant" : "wall"};
    if (!options_.lockstep) command.insert(command.end(), {"--speed", std::to_string(options_.speed)});
    command.insert(command.end(), options_.twin_arguments.begin(), options_.twin_arguments.end());
    twin_.reset();
    twin_ = std::make_unique<ChildProcess>(command, path("twin.log"));
    const auto line = twin_->read_line(std::chrono::seconds(30));
    ASSERT_TRUE(line) << read_file(path("twin.log")).value_or("");
    ready_ = nlohmann::json::parse(*line);
    const std::string url = ready_["url"];
    port_ = std::stoi(url.substr(url.rfind(':') + 1));
    auto pki = plant::OpcuaPki::open(path("site/pki"));
    ASSERT_TRUE(pki && pki->trust(ready_["certificate"].get<std::string>()));
  }
  void write_site() {
    std::string text = yaml();
    for (const auto& [before, after] : options_.edits) {
      const std::size_t at = text.find(before);
      ASSERT_NE(at, std::string::npos) << before << " is not in\n" << text;
      text.replace(at, before.size(), after);
    }
    ASSERT_TRUE(write_file(path("site/site.yaml"), text));
  }
  std::string site_file() const { return path("site/site.yaml"); }
  const nlohmann::json& twin_ready() const { return ready_; }
  void start_up() {
    up_.reset();
    up_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{options_.programs + "/rltune", "up", path("site/site.yaml"), "--run-folder",
                                 run_folder(), "--json"},
        path("up.log"));
  }
  void start() {
    if (options_.peer)
      ASSERT_NO_FATAL_FAILURE(start_peer());
    else
      ASSERT_NO_FATAL_FAILURE(start_twin());
    ASSERT_NO_FATAL_FAILURE(write_site());
    start_up();
  }

  template <typename Answer, typename Request>
  Result<Answer> ask(const std::string& role, const std::string& method, const Request& request,
                     std::chrono::milliseconds patience = std::chrono::seconds(2)) {
    auto client = bus::Client::connect(bus::call_endpoint(run_folder(), role));
    if (!client) return std::unexpected(client.error());
    return client->call<Answer>(method, role, request, patience);
  }
  Result<v1::IoStatusAnswer> io_status() { return ask<v1::IoStatusAnswer>("io", "io.Status", v1::IoStatusRequest()); }
  v1::RoleState role(const std::string& name) {
    const auto roles = ask<v1::RolesAnswer>("coredinator", "coredinator.Roles", v1::RolesRequest());
    if (roles)
      for (const v1::RoleState& state : roles->roles())
        if (state.name() == name) return state;
    return {};
  }
  std::uint64_t decisions() {
    const auto status = io_status();
    return status ? status->decisions() : 0;
  }
  std::string link_reason() {
    const auto status = io_status();
    return status ? status->link_reason() : std::string();
  }
  // The latest value of a tag that io knows; NaN before there is one.
  double value(const std::string& tag) {
    const auto index = std::ranges::find(tags_, tag);
    const auto status = io_status();
    if (status && index != tags_.end())
      for (const v1::Sample& sample : status->latest().samples())
        if (sample.tag() == static_cast<std::uint32_t>(index - tags_.begin()) && sample.element() == 0)
          return sample.value();
    return std::nan("");
  }
  // What the plant itself says, over a connection of the test's own; NaN when it does not answer.
  double plant_value(const std::string& tag) {
    plant::OpcuaLink link({.url = ready_["url"],
                           .server_application_uri = ready_["application_uri"],
                           .application_uri = "urn:rltune:test:io",
                           .pki = path("site/pki"),
                           .user = ready_["user"],
                           .password = password()});
    const plant::TagBinding binding{.name = tag, .node = "nsu=" + ready_["namespace"].get<std::string>() + ";s=" + tag};
    Sample sample{.value = std::nan("")};
    if (link.open({&binding, 1})) link.poll({&sample, 1}, std::chrono::seconds(2));
    link.close();
    return sample.value;
  }
  // A fault of the twin's own sensors, as an operator of the twin sets it ("air_temperature nan").
  void break_sensor(const std::string& fault) {
    const auto client = watcher();
    ASSERT_EQ(client->write_text("test_fault", fault), UA_STATUSCODE_GOOD);
  }
  // The twin's own record of a tag, read by a client that has nothing of the product's.
  PlantRecord record(const std::string& tag) {
    const auto history = watcher()->history(tag, 1, UA_DateTime_now() + 100 * 365 * UA_DATETIME_SEC * 86400);
    return record_of(history);
  }
  // What the guard may let through, as the site's file says.
  std::vector<config::OutputRule> rules() const {
    const auto site = config::load_site(site_file());
    EXPECT_TRUE(site) << (site ? "" : site.error().message);
    return site ? site->guard.outputs : std::vector<config::OutputRule>{};
  }
  // Nobody moved a set-point since the twin was started. It has to run without local control.
  void expect_nothing_was_written() {
    ASSERT_FALSE(rules().empty());
    for (const config::OutputRule& rule : rules()) {
      const PlantRecord taken = record(rule.tag);
      ASSERT_FALSE(taken.empty()) << rule.tag << " has no record";
      EXPECT_EQ(changes_of(taken), 0U) << rule.tag << " was moved";
      EXPECT_EQ(watcher()->read(rule.tag), taken.front().value) << rule.tag;
    }
  }
  // One value of the twin, as its own client reads it; NaN when there is none.
  double read(const std::string& tag) { return watcher()->read(tag); }
  // What was written kept the rules, by the twin's record; and there was, or soon is, so much to judge.
  void expect_rules_were_kept(std::size_t changes_at_least) {
    ASSERT_FALSE(rules().empty());
    for (const config::OutputRule& rule : rules()) {
      // Not every decision moves every set-point: an agent that is on its way to io moves none.
      PlantRecord taken;
      eventually(
          [&] {
            if (!taken.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(200));
            taken = record(rule.tag);
            return changes_of(taken) >= changes_at_least;
          },
          std::chrono::seconds(20));
      const Judgement judged = judge({.rule = rule}, taken);
      EXPECT_TRUE(judged.breaches.empty()) << judged.breaches.size() << " breaches, the first: " << judged.breaches[0];
      EXPECT_GE(judged.changes, changes_at_least) << rule.tag;
    }
  }
  // When a role's log first said this, from a moment on.
  std::optional<TimePoint> logged(const std::string& role, const std::string& message, TimePoint from) {
    std::istringstream lines(log(role));
    for (std::string line; std::getline(lines, line);) {
      const auto json = nlohmann::json::parse(line, nullptr, false);
      if (!json.is_object() || json.value("message", "") != message) continue;
      const auto time = parse_rfc3339(json.value("time", ""));
      if (time && *time >= from) return *time;
    }
    return std::nullopt;
  }
  // What io put on record, oldest first, from a moment of the wall clock on.
  std::vector<historian::Decision> recorded(TimePoint from = {}) {
    auto decisions = historian::read_decisions(path("site/data/decisions"), TimePoint{},
                                               WallClock().now() + std::chrono::years(1), 1'000'000);
    EXPECT_TRUE(decisions) << (decisions ? "" : decisions.error().message);
    if (!decisions) return {};
    std::erase_if(*decisions, [from](const historian::Decision& decision) { return decision.wall_time < from; });
    return *decisions;
  }
  // When the first such decision from a moment on was made; `to_the_plant`: and something of it was written.
  std::optional<TimePoint> first_decision(TimePoint from, const std::string& origin, bool to_the_plant = false) {
    for (const historian::Decision& decision : recorded(from))
      if (decision.origin == origin &&
          (!to_the_plant || std::ranges::any_of(decision.outputs, &historian::DecisionOutput::written)))
        return decision.wall_time;
    return std::nullopt;
  }
  std::string log(const std::string& role) { return read_file(path("run/logs/" + role + ".log")).value_or(""); }
  std::string everything() { return read_file(path("up.log")).value_or("(no log)"); }

  static bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  bool decides(std::uint64_t more = 3, std::chrono::milliseconds limit = std::chrono::seconds(30)) {
    std::uint64_t first = 0;
    if (!eventually([&] { return (first = decisions()) > 0; }, limit)) return false;
    return eventually([&] { return decisions() >= first + more; }, limit);
  }

 private:
  // A connection of the test's own to the twin.
  std::unique_ptr<twin::testing::TestClient> watcher() {
    auto client = std::make_unique<twin::testing::TestClient>(
        twin::testing::ClientOptions{.url = ready_["url"],
                                     .user = ready_["user"],
                                     .password = password(),
                                     .identity = &identity(),
                                     .application_uri = "urn:rltune:test:io"});
    EXPECT_EQ(client->connect(), UA_STATUSCODE_GOOD);
    return client;
  }
  const plant::Identity& identity() {
    if (identity_.certificate.empty())
      identity_ = {.certificate = read_file(path("site/pki/own/cert.der")).value_or(""),
                   .key = read_file(path("site/pki/own/key.der")).value_or(""),
                   .application_uri = "urn:rltune:test:io"};
    return identity_;
  }
  std::string password() const {
    std::string text = read_file(ready_["password_file"].get<std::string>()).value_or("");
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }

  void make_policy(const std::string& folder, const std::vector<std::string>& outputs) {
    policy::Artifact artifact = pilot_artifact(options_.weights_seed, options_.validated, options_.plant, outputs);
    if (options_.change_policy) options_.change_policy(artifact);
    EXPECT_TRUE(policy::save_artifact(path(folder), artifact));
    sha256_ = artifact.sha256;
  }

  std::string agent_yaml(const std::string& id, const std::string& policy, const std::string& outputs) const {
    return std::format(
        "  - id: {}\n    policy: {}\n    plant: {}\n    period_s: {}\n    outputs: [{}]\n"
        "    fallback: {}\n    season_days: {}\n    season_start: \"{}\"\n",
        id, policy, options_.plant, options_.period_s, outputs, options_.fallback, options_.days,
        ready_["start"].get<std::string>());
  }

  std::string yaml() {
    tags_.clear();
    std::string text =
        std::format("schema: rltune/site/v1\nname: pilot\nclock: {}\n{}", options_.lockstep ? "plant" : "wall",
                    options_.lockstep ? "plant_clock: {step: clock_step, advance: clock_advance}\n" : "");
    text += std::format(
        "link:\n  url: {}\n  server_application_uri: {}\n  pki: pki\n  user: {}\n  password_file: {}\n"
        "  publishing_interval_ms: 20\n  sampling_interval_ms: 10\n  inactivity_timeout_s: 1\n",
        ready_["url"].get<std::string>(), ready_["application_uri"].get<std::string>(),
        ready_["user"].get<std::string>(), ready_["password_file"].get<std::string>());
    text += "tags:\n";
    std::string outputs, rules;
    for (const auto& tag : ready_["tags"]) text += tag_yaml(tag, outputs, rules);
    text += "agents:\n";
    for (const PilotAgent& agent : options_.agents) {
      std::string own;
      for (const std::string& output : agent.outputs) own += (own.empty() ? "" : ", ") + output;
      text += agent_yaml(agent.id, "policy-" + agent.id, own);
    }
    if (options_.agents.empty()) text += agent_yaml("climate", "policy", outputs);
    if (options_.learning)
      text +=
          "    learning:\n      enabled: true\n      reward: season_return - previous(season_return)\n"
          "      checkpoint_minutes: 0.05\n";
    return text + std::format(
                      "guard:\n  mode: {}\n  guard_alive: guard_alive\n  agent_alive: agent_alive\n  heartbeat_s: 0.2\n"
                      "  outputs:\n{}{}{}",
                      options_.mode, rules, options_.interlocks.empty() ? "" : "  interlocks:\n", options_.interlocks);
  }

  std::string role_of(const std::string& name, const std::string& folder) const {
    if (folder == "Sensors" || name == "season_return") return "measurement";
    if (folder == "Weather" || folder == "Schedule") return "exogenous";
    if (folder == "SetPoints") return "setpoint";
    if (name == "guard_alive" || name == "agent_alive") return "heartbeat";
    if (options_.lockstep && (name == "clock_step" || name == "clock_advance")) return "clock";
    return {};
  }

  std::string tag_yaml(const nlohmann::json& tag, std::string& outputs, std::string& rules) {
    const std::string name = tag["name"], role = role_of(name, tag.value("folder", ""));
    if (role.empty()) return {};
    if (role == "setpoint") {
      outputs += (outputs.empty() ? "" : ", ") + name;
      const double low = tag["range"][0], high = tag["range"][1];
      rules += std::format("    - tag: {}\n{}", name, options_.rule(name, low, high));
    }
    tags_.push_back(name);
    const std::string unit = tag.contains("unit") && tag["unit"].is_string() ? tag["unit"].get<std::string>() : "";
    return std::format("  - name: {}\n    node: {}\n    role: {}\n{}", name, tag["node"].get<std::string>(), role,
                       unit.empty() ? "" : std::format("    unit: \"{}\"\n", unit)) +
           (options_.stale_after_s > 0.0 ? std::format("    stale_after_s: {}\n", options_.stale_after_s) : "");
  }

  PilotOptions options_;
  TemporaryFolder folder_;
  std::string sha256_;
  plant::Identity identity_;
  int port_ = 0;
  nlohmann::json ready_;
  std::vector<std::string> tags_;
  std::unique_ptr<ChildProcess> twin_, up_;
};

}  // namespace rltune::testing
