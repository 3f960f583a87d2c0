#include "parts.hpp"
#include "pilot_site.hpp"
#include "rltune/base/scheduling.hpp"
#include "rltune/historian/decision_log.hpp"
#include "test_server.hpp"

namespace rltune::bench {
namespace {

using namespace std::chrono_literals;
using plant::TestServer;
using testing::ChildProcess;

struct Pace {
  int publishing_ms;
  int sampling_ms;              // negative: at every publishing, the default
  double period_s;              // of the agent: due whenever a change arrives
  int between_ms, between_max;  // of two changes
};

// The plant, which has a machine of its own elsewhere, must not wait for one here.
template <typename Work>
void as_the_plant(const Work& work) {
  std::thread([&work] {
    if (!run_first()) std::println(stderr, "site_bench: the plant runs at ordinary priority");
    work();
  }).join();
}

// A plant whose values this program changes itself, so that it knows when; the site's roles are real processes.
class ReactionSite {
 public:
  explicit ReactionSite(const Pace& pace);
  // Milliseconds from each change to the acknowledgement of the write that answered it; NaN where none did.
  std::vector<double> measure(const Pace& pace, std::size_t changes);

 private:
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string yaml(const Pace& pace) const;
  std::vector<historian::Decision> decisions() const;

  TemporaryFolder folder_;
  policy::Artifact artifact_ = testing::pilot_artifact(1, true);
  std::unique_ptr<TestServer> server_;
  std::unique_ptr<ChildProcess> up_;
};

ReactionSite::ReactionSite(const Pace& pace) {
  auto client_pki = plant::OpcuaPki::open(path("site/pki"));
  auto server_pki = plant::OpcuaPki::open(path("server"));
  const TimePoint now = WallClock().now();
  const auto client = client_pki->identity({.application_uri = "urn:rltune:bench:io"}, now);
  const auto server = server_pki->identity(
      {.application_uri = plant::TestServerOptions{}.application_uri, .hosts = {"localhost", "127.0.0.1"}}, now);
  if (!client || !server || !client_pki->trust_der(server->certificate) || !server_pki->trust_der(client->certificate))
    give_up("no certificates");
  as_the_plant([&] {
    server_ = std::make_unique<TestServer>(
        plant::TestServerOptions{.port = plant::free_port(), .pki = path("server"), .identity = *server});
  });
  if (!policy::save_artifact(path("site/policy"), artifact_) || !write_secret_file(path("site/password"), "secret") ||
      !write_file(path("site/site.yaml"), yaml(pace)))
    give_up("the site cannot be written");
  up_ = std::make_unique<ChildProcess>(std::vector<std::string>{std::string(RLTUNE_BIN_DIR) + "/rltune", "up",
                                                                path("site/site.yaml"), "--run-folder", path("run")},
                                       path("up.log"));
}

std::string ReactionSite::yaml(const Pace& pace) const {
  const policy::Manifest& manifest = artifact_.manifest;
  std::string tags, outputs, rules;
  int node = 0;
  const auto add = [&](const env::Variable& variable, const char* role) {
    tags += std::format("  - {{name: {}, node: 'nsu={};s=Many{}', role: {}, stale_after_s: 86400}}\n", variable.name,
                        TestServer::kNamespace, node++, role);
  };
  for (const env::Variable& variable : manifest.measurements) add(variable, "measurement");
  for (const env::Variable& variable : manifest.exogenous) add(variable, "exogenous");
  for (const env::Variable& variable : manifest.inputs) {
    add(variable, "setpoint");
    outputs += (outputs.empty() ? "" : ", ") + variable.name;
    rules += std::format("    - {{tag: {}, limits: {{low: {}, high: {}}}, safe_value: {}}}\n", variable.name,
                         variable.low, variable.high, variable.low);
  }
  return std::format(
      "schema: rltune/site/v1\nname: reaction\nlink:\n  url: {}\n  server_application_uri: {}\n  pki: pki\n"
      "  user: operator\n  password_file: password\n  publishing_interval_ms: {}\n  sampling_interval_ms: {}\n"
      "tags:\n{}agents:\n  - id: climate\n    policy: policy\n    plant: lettuce\n    period_s: {}\n    outputs: [{}]\n"
      "guard:\n  mode: auto\n  outputs:\n{}",
      server_->url(), plant::TestServerOptions{}.application_uri, pace.publishing_ms, pace.sampling_ms, tags,
      pace.period_s, outputs, rules);
}

std::vector<historian::Decision> ReactionSite::decisions() const {
  auto read = historian::read_decisions(path("site/data/decisions"), TimePoint{}, TimePoint::max(), 1'000'000);
  return read ? std::move(*read) : std::vector<historian::Decision>();
}

std::vector<double> ReactionSite::measure(const Pace& pace, std::size_t changes) {
  const auto decides = [this] { return decisions().size() > 5; };
  if (!testing::PilotSite::eventually(decides, 30s)) give_up(read_file(path("up.log")).value_or("no log"));
  std::map<float, TimePoint> changed;
  Random random(1);
  as_the_plant([&] {
    for (std::size_t i = 0; i < changes; ++i) {
      std::this_thread::sleep_for(
          std::chrono::duration<double, std::milli>(random.uniform(pace.between_ms, pace.between_max)));
      const float value = 10.0F + 0.01F * static_cast<float>(i);
      changed[value] = WallClock().now();
      server_->set("Many0", static_cast<double>(value));
    }
  });
  std::this_thread::sleep_for(2s);
  up_->signal(SIGTERM);
  up_->wait(20s);

  std::size_t place = 0;  // of the first measurement among the observations
  while (artifact_.manifest.observation[place].source != env::Feature::Source::measurement ||
         artifact_.manifest.observation[place].index != 0)
    ++place;
  std::map<float, double> answered;
  for (const historian::Decision& decision : decisions()) {
    if (decision.observation.size() <= place || !decision.outputs.front().written) continue;
    const float seen = decision.observation[place];
    // wall_time is taken when the write was acknowledged.
    if (const auto change = changed.find(seen); change != changed.end())
      answered.try_emplace(seen, to_seconds(decision.wall_time - change->second) * 1e3);
  }
  std::vector<double> ms;
  for (const auto& [value, when] : changed) ms.push_back(answered.contains(value) ? answered[value] : std::nan(""));
  return ms;
}

void add_pace(Rows& rows, const Pace& pace, std::size_t changes, bool promised) {
  ReactionSite site(pace);
  std::vector<double> ms = site.measure(pace, changes);
  const auto lost = std::ranges::count_if(ms, [](double value) { return std::isnan(value); });
  std::erase_if(ms, [](double value) { return std::isnan(value); });
  if (ms.size() < 4) give_up("hardly any change was answered");
  const std::string what =
      std::format("published every {} ms{}", pace.publishing_ms,
                  pace.sampling_ms < 0 ? "" : std::format(", sampled every {} ms", pace.sampling_ms));
  add_quantiles(rows, what, "ms", ms, promised ? std::optional<double>(pace.publishing_ms + 5.0) : std::nullopt);
  rows.push_back(
      single(std::format("{}: changes of {} without an answer", what, changes), "", static_cast<double>(lost), 0.0));
}

}  // namespace

Rows reaction(double changes) {
  Rows rows;
  const auto count = static_cast<std::size_t>(changes);
  add_pace(rows, {20, -1, 0.1, 115, 125}, count, true);
  add_pace(rows, {100, -1, 0.3, 310, 390}, count, true);
  add_pace(rows, {100, 50, 0.3, 310, 390}, count, false);
  return rows;
}

}  // namespace rltune::bench
