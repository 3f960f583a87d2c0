#include "demo.hpp"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <format>
#include <functional>

#include "child.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/policy/artifact.hpp"

namespace rltune::demo {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using Words = std::vector<std::string>;

constexpr int kParts = 5;
constexpr const char* kComparisonWeatherSeed = "9001";  // neither the training's nor the season's
constexpr std::uint64_t kTuningBudget = 1'000'000;      // of the rule, where the policy brings none

// As a person would type it.
std::string spoken(const Words& words) {
  std::string text = "rltune";
  for (const std::string& word : words) text += " " + word;
  return text;
}

Words without_program(const Words& words, const char* noun) {
  Words rest{noun};
  rest.insert(rest.end(), words.begin() + 1, words.end());
  return rest;
}

class Demo {
 public:
  Demo(const DemoOptions& options, Narrator& narrator)
      : options_(options), narrator_(narrator), started_(std::chrono::steady_clock::now()) {
    options_.out = std::filesystem::absolute(options_.out).lexically_normal();
  }

  Result<Findings> run() {
    if (auto done = prepare_folder(); !done) return std::unexpected(done.error());
    using Part = Result<> (Demo::*)();
    for (const Part part : {&Demo::train, &Demo::compare, &Demo::close_the_loop, &Demo::replay, &Demo::report})
      if (auto done = (this->*part)(); !done) return std::unexpected(done.error());
    return std::move(findings_);
  }

 private:
  Result<> prepare_folder() {
    std::error_code code;
    if (!options_.keep) std::filesystem::remove_all(options_.out / "policy", code);
    for (const char* stale : {"site", "logs", "report.html", "rule.yaml"})
      std::filesystem::remove_all(options_.out / stale, code);
    std::filesystem::create_directories(options_.out / "logs", code);
    if (code) return fail(Errc::io, std::format("cannot make {}: {}", options_.out.string(), code.message()));
    findings_.folder = options_.out;
    return {};
  }

  std::filesystem::path policy() const {
    return options_.policy.empty() ? options_.out / "policy" : std::filesystem::absolute(options_.policy);
  }
  std::filesystem::path rule() const { return options_.out / "rule.yaml"; }
  std::filesystem::path trace() const { return options_.out / "logs" / "rule-season.csv"; }

  Words season_weather() const {
    Words words{"--weather", options_.weather};
    if (options_.weather == "synthetic")
      words.insert(words.end(), {"--weather-seed", std::to_string(options_.weather_seed)});
    else
      words.insert(words.end(), {"--time-zone", options_.time_zone});
    return words;
  }

  void begin(int part, const std::string& title) {
    progress_.clear();
    narrator_.begin(part, kParts, title);
  }

  // Runs a command of the product to its end; its stdout must be one JSON object. `watch` is called meanwhile.
  Result<json> command(const std::string& executable, const std::string& what, Words words,
                       const std::function<void()>& watch = {}) {
    findings_.commands.emplace_back(what, spoken(words));
    words.push_back("--json");
    // The executables but the laboratory's serve one noun and do not want to hear it.
    if (executable != "rltune-lab") words.erase(words.begin());
    words.insert(words.begin(), executable);
    std::string name = what;
    std::ranges::replace(name, ' ', '-');
    const std::filesystem::path log = options_.out / "logs" / (name + ".log");
    auto child = Child::start({words, {}, log});
    if (!child) return std::unexpected(child.error());
    while (!child->wait(milliseconds(100))) {
      watch ? watch() : narrator_.progress(progress_);
      if (!interrupted()) continue;
      child->signal(SIGTERM);
      child->wait(std::chrono::seconds(20));
      return fail(Errc::cancelled, "stopped by the user");
    }
    json answer = json::parse(child->output(), nullptr, false);
    if (!answer.is_object())
      return fail(Errc::internal, std::format("{} failed: {}; see {}", what, last_line(log), log.string()));
    return answer;
  }

  Result<> train() {
    begin(1, "train a policy on the twin, in synthetic weather");
    const bool trained_before = options_.keep && std::filesystem::exists(policy() / "manifest.yaml");
    if (options_.policy.empty() && !trained_before) {
      Words words{"policy",    "train",          "--plant", "lettuce",
                  "--weather", "synthetic",      "--seed",  std::to_string(options_.seed),
                  "--out",     policy().string()};
      if (options_.steps > 0) words.insert(words.end(), {"--steps", std::to_string(options_.steps)});
      const auto began = std::chrono::steady_clock::now();
      auto trained = command("rltune-lab", "train", words, [this, began] {
        TrainingView view = look_at_training(policy());
        view.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        narrator_.training(view);
      });
      if (!trained) return std::unexpected(trained.error());
      findings_.training = std::move(*trained);
    }
    auto artifact = policy::load_artifact(policy());
    if (!artifact) return std::unexpected(artifact.error());
    findings_.manifest = artifact->manifest;
    findings_.policy_sha256 = artifact->sha256;
    if (findings_.manifest.plant != "lettuce")
      return fail(Errc::mismatch,
                  "the demo is about the lettuce greenhouse; this policy is for " + findings_.manifest.plant);
    findings_.curve = read_curve(policy() / "metrics.jsonl");
    const bool validated = findings_.manifest.validation.passed;
    narrator_.say(std::format("policy {} of {}, best at step {}; its validation {}", artifact->sha256.substr(0, 12),
                              findings_.manifest.algorithm, findings_.manifest.steps, validated ? "passed" : "FAILED"));
    return tuned_rule();
  }

  // Training leaves the rule that it tuned with the same budget beside the policy.
  Result<> tuned_rule() {
    const std::filesystem::path theirs = policy() / "baseline.yaml";
    std::error_code code;
    if (std::filesystem::copy_file(theirs, rule(), std::filesystem::copy_options::overwrite_existing, code)) return {};
    narrator_.say("the policy brings no tuned rule; tuning one on the same weather");
    auto tuned = command("rltune-lab", "tune the rule",
                         {"controller", "tune", "--plant", "lettuce", "--controller", "rule", "--weather", "synthetic",
                          "--parameter-noise", "0.2", "--per", "episode", "--budget", std::to_string(kTuningBudget),
                          "--seed", std::to_string(options_.seed), "--out", rule().string()});
    if (!tuned) return std::unexpected(tuned.error());
    return {};
  }

  Result<> compare() {
    begin(2, std::format("compare on one season, then on {} more that nobody has seen", options_.episodes));
    const std::vector<std::pair<std::string, std::string>> entrants{{"policy", policy().string()},
                                                                    {"tuned rule", rule().string()},
                                                                    {"grower's rule", "grower"},
                                                                    {"MPC, perfect forecast", "mpc"},
                                                                    {"hold", "hold"},
                                                                    {"off", "off"}};
    std::string results;
    for (const auto& [label, controller] : entrants) {
      progress_ = results + label + " ...";
      Words words{"policy",   "evaluate", "--plant",      "lettuce", "--controller",
                  controller, "--start",  options_.start, "--days",  std::to_string(options_.days)};
      const Words weather = season_weather();
      words.insert(words.end(), weather.begin(), weather.end());
      if (label == "tuned rule") words.insert(words.end(), {"--trace", trace().string()});
      auto standing = command("rltune-lab", "evaluate " + label, words);
      if (!standing) return std::unexpected(standing.error());
      (*standing)["label"] = label;
      results += std::format("{} {:.2f}, ", label, standing->at("return").get<double>());
      findings_.standings.push_back(std::move(*standing));
    }
    progress_ = results + "in EUR/m2";
    auto rows = read_trace(trace());
    if (!rows) return std::unexpected(rows.error());
    findings_.rule_trace = std::move(*rows);
    findings_.weather = findings_.standings.front()["weather"];
    findings_.start = options_.start;
    return compare_on_other_seasons();
  }

  Result<> compare_on_other_seasons() {
    auto paired = command(
        "rltune-lab", "compare on other seasons",
        {"policy", "evaluate", "--plant", "lettuce", "--controller", policy().string(), "--against", rule().string(),
         "--episodes", std::to_string(options_.episodes), "--weather-seed", kComparisonWeatherSeed, "--parameter-noise",
         "0.2", "--per", "episode", "--forecast", "persistence", "--blind-replay"});
    if (!paired) return std::unexpected(paired.error());
    findings_.paired = std::move(*paired);
    const json& gain = findings_.paired["gain"];
    narrator_.say(std::format("over the tuned rule the policy gains {:.2f} EUR/m2 a season (95 %: {:.2f} to {:.2f})",
                              gain["mean"].get<double>(), gain["mean_interval"][0].get<double>(),
                              gain["mean_interval"][1].get<double>()));
    return {};
  }

  Result<> close_the_loop() {
    if (!findings_.manifest.validation.passed) {
      narrator_.say("automatic mode refuses a policy that failed its validation: the loop stays open");
      return {};
    }
    begin(3, "a whole season in charge: twin, guard and agent over encrypted OPC UA");
    const SeasonOptions season{.folder = options_.out / "site",
                               .policy = policy(),
                               .rule = rule(),
                               .weather = season_weather(),
                               .start = options_.start,
                               .days = options_.days,
                               .forecast_leads = findings_.manifest.forecast_leads};
    auto result = run_season(season, narrator_);
    if (!result) return std::unexpected(result.error());
    findings_.commands.emplace_back("serve the twin", spoken(without_program(result->twin_command, "twin")));
    findings_.commands.emplace_back("invite the administrator",
                                    spoken({"user", "invite", kAdministrator, result->site.string()}));
    findings_.commands.emplace_back("run the site", spoken(without_program(result->up_command, "up")));
    findings_.commands.emplace_back("let the site in at the plant", result->trust_command);
    const Quantiles call = quantiles(result->door.call_us);
    narrator_.say(std::format("{} calls through the gateway: p50 {:.1f} ms, p99 {:.1f} ms", result->door.call_us.size(),
                              call.p50 / 1e3, call.p99 / 1e3));
    auto record = read_record(*result);
    if (!record) return std::unexpected(record.error());
    for (Incident& incident : result->incidents)
      if (incident.what == "agent") incident.recovery_s = record->agent_gap_s;
    findings_.loop = ClosedLoop{std::move(*result), std::move(*record), {}};
    narrator_.say(std::format("harvest: {:.6f} EUR/m2, the evaluation said {:.6f}; {} decisions in {:.1f} s",
                              findings_.loop->season.total, findings_.standings.front()["return"].get<double>(),
                              findings_.loop->record.decisions, findings_.loop->season.seconds));
    return {};
  }

  Result<> replay() {
    if (!findings_.loop) return {};
    begin(4, "compute every decision again, to the last bit");
    auto replayed = command(
        "rltune-audit", "replay",
        {"audit", "replay", "--data", findings_.loop->season.data.string(), "--policy", policy().string(), "--all"});
    if (!replayed) return std::unexpected(replayed.error());
    narrator_.say(std::format("{} decisions the same, {} different", replayed->value("same", 0),
                              replayed->value("different", -1)));
    findings_.loop->replay = std::move(*replayed);
    return {};
  }

  Result<> report() {
    begin(5, "write the report");
    findings_.checks = judge(findings_);
    findings_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    const std::string created = format_rfc3339(std::chrono::floor<std::chrono::seconds>(WallClock().now()));
    return write_file(options_.out / "report.html", report_page(findings_, created));
  }

  DemoOptions options_;
  Narrator& narrator_;
  std::string progress_;
  std::chrono::steady_clock::time_point started_;
  Findings findings_;
};

}  // namespace

Result<Findings> run_demo(const DemoOptions& options, Narrator& narrator) { return Demo(options, narrator).run(); }

}  // namespace rltune::demo
