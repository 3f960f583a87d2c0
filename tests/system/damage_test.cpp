// The disk changes and cuts files of every kind, of a site that was stopped and of one that was killed as it wrote: it
// is told what is damaged, comes back by itself with a version that is whole, keeps the rules, and learns on.
#include <fstream>

#include "site_versions.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using nlohmann::json;
using testing::ChildProcess;
using testing::PilotSite;

constexpr auto kUpAgain = 10s;  // from the start to the first value that a policy writes

// In place, as a disk does it: half of it is gone.
void cut(const fs::path& file) {
  std::error_code code;
  fs::resize_file(file, fs::file_size(file, code) / 2, code);
  ASSERT_FALSE(code) << file << ": " << code.message();
}

// From a place on, a page's worth of other bytes.
void flip(const fs::path& file, std::size_t from) {
  std::string bytes = read_file(file).value();
  ASSERT_GT(bytes.size(), from) << file;
  for (std::size_t i = from; i < std::min(bytes.size(), from + 4096); ++i)
    bytes[i] = static_cast<char>(bytes[i] ^ 0x55);
  std::ofstream(file, std::ios::binary | std::ios::in).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::vector<fs::path> files_in(const fs::path& folder, const std::string& begin, const std::string& end) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(begin) && name.ends_with(end)) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

bool is_gone(pid_t process) {
  const std::string stat = read_file(std::format("/proc/{}/stat", process)).value_or("");
  return stat.empty() || stat.substr(stat.rfind(')') + 1).starts_with(" Z");
}

class Damage : public ::testing::Test {
 protected:
  Damage() : site_(options()), versions_(site_), data_(site_.path("site/data")) {}
  static testing::PilotOptions options() {
    testing::PilotOptions options = testing::versions_options();
    options.learning = true;
    return options;
  }

  json run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), RLTUNE_BIN_DIR "/rltune");
    arguments.emplace_back("--json");
    ChildProcess child(arguments, site_.path("command.err"));
    std::string text;
    while (const auto line = child.read_line(20s)) text += *line;
    return json::parse(text, nullptr, false);
  }
  json check() { return run({"site", "storage", site_.site_file(), "--check"}); }
  static bool names(const json& list, const fs::path& file) {
    return std::ranges::any_of(
        list, [&](const json& one) { return one.get<std::string>().contains(file.filename().string()); });
  }

  void stop() {
    site_.up().signal(SIGTERM);
    ASSERT_TRUE(site_.up().wait(30s)) << site_.everything();
  }
  // Every process at once, in the middle of whatever it does.
  void kill_all() {
    std::vector<pid_t> processes{site_.up().pid()};
    const auto roles = site_.ask<v1::RolesAnswer>("coredinator", "coredinator.Roles", v1::RolesRequest());
    const auto leader = site_.ask<v1::HealthAnswer>("coredinator", "coredinator.Health", v1::HealthRequest());
    ASSERT_TRUE(roles && leader);
    processes.push_back(leader->pid());
    for (const v1::RoleState& role : roles->roles())
      if (role.pid() > 0) processes.push_back(role.pid());
    ASSERT_GE(processes.size(), 5U);
    for (const pid_t process : processes) ::kill(process, SIGKILL);
    ASSERT_TRUE(site_.up().wait(10s));
    for (const pid_t process : processes)
      ASSERT_TRUE(PilotSite::eventually([&] { return is_gone(process); }, 10s)) << process;
  }
  // A policy that is whole writes to the plant, in time, and nobody did anything.
  void comes_back_by(const std::string& sha256) {
    const TimePoint from = started_ = WallClock().now();
    site_.start_up();
    ASSERT_TRUE(site_.decides(10, kUpAgain)) << site_.everything();
    const auto first = site_.first_decision(from, "policy", true);
    ASSERT_TRUE(first) << site_.everything();
    EXPECT_LT(*first - from, kUpAgain);
    for (const historian::Decision& decision : site_.recorded(from))
      EXPECT_TRUE(decision.origin != "policy" || decision.policy_sha256 == sha256) << decision.policy_sha256;
    RecordProperty(std::format("start_{}_until_a_policy_writes_ms", ++starts_),
                   static_cast<int>(1000.0 * to_seconds(*first - from)));
  }
  // In the audit log, for ever; in what the operator looks at first, until somebody moves it away.
  void is_told(const std::vector<fs::path>& files, const std::vector<fs::path>& left_in_place = {}) {
    const auto told = [&](const fs::path& file) {
      const json log = run({"audit", "log", data_.string(), "--action", "file.damaged"});
      return std::ranges::any_of(log["lines"], [&](const json& entry) {
        return entry["target"].get<std::string>() == file.string() && !entry["reason"].get<std::string>().empty();
      });
    };
    for (const auto& list : {files, left_in_place})
      for (const fs::path& file : list)
        EXPECT_TRUE(PilotSite::eventually([&] { return told(file); }, 10s)) << file << " is not on record";
    const json status = run({"site", "status", site_.site_file(), "--run-folder", site_.run_folder()});
    for (const fs::path& file : files)
      EXPECT_TRUE(names(status["damaged"], file.filename().string() + ".damaged-")) << file << status.dump(2);
  }

  PilotSite site_;
  testing::SiteVersions versions_;
  const fs::path data_;
  TimePoint started_{};
  int starts_ = 0;
};

TEST_F(Damage, of_every_kind_of_file_is_told_and_the_site_comes_back_by_itself) {
  // A site with a history: checkpoints, a mode that a person chose, weights learnt, a version deployed.
  ASSERT_NO_FATAL_FAILURE(site_.start());
  const fs::path learner = data_ / "learner" / "climate";
  ASSERT_TRUE(PilotSite::eventually([&] { return files_in(learner, "", ".checkpoint").size() >= 2; }, 60s))
      << site_.log("learner.climate");
  v1::ModeRequest mode;
  mode.set_mode("automatic");
  ASSERT_TRUE(site_.ask<v1::ModeAnswer>("io", "io.Mode", mode));
  ASSERT_NO_FATAL_FAILURE(stop());
  policy::Artifact learnt = testing::pilot_artifact(7, true);
  ASSERT_TRUE(policy::save_artifact(site_.path("learnt"), learnt));
  const fs::path weights = data_ / "policies" / (learnt.sha256 + ".onnx"), active = data_ / "policies/climate.active";
  fs::copy_file(site_.path("learnt/policy.onnx"), weights);
  ASSERT_TRUE(write_file(active, site_.policy_sha256() + " " + learnt.sha256));
  ASSERT_NO_FATAL_FAILURE(comes_back_by(learnt.sha256));
  v1::Traffic traffic = versions_.quick_traffic();
  traffic.set_probation_s(0.5);
  const std::string second = versions_.artifact("second", 2);
  ASSERT_TRUE(versions_.deploy(second, "1.0.0", traffic));
  ASSERT_TRUE(versions_.reaches("0.0.0", "retired")) << versions_.agent().DebugString() << site_.everything();

  // Long proven, and damaged while it acts: it is not tried with its files on and on.
  const fs::path artifact = fs::directory_iterator(data_ / "artifacts")->path();
  const pid_t acting = versions_.pid("1.0.0");
  ASSERT_GT(acting, 0);
  ASSERT_NO_FATAL_FAILURE(cut(artifact / "policy.onnx"));
  ASSERT_EQ(::kill(acting, SIGKILL), 0);
  ASSERT_TRUE(versions_.acts("0.0.0", kUpAgain)) << versions_.agent().DebugString() << site_.everything();
  EXPECT_EQ(versions_.version("1.0.0").state(), "rolled_back");
  is_told({}, {artifact});
  // Deployed again, its files are whole again.
  ASSERT_TRUE(versions_.deploy(second, "1.1.0", traffic));
  ASSERT_TRUE(versions_.acts("1.1.0")) << versions_.agent().DebugString() << site_.everything();
  ASSERT_TRUE(site_.decides(5));

  // Killed as it writes. The version is damaged, the registry is, the site's own policy is, and what was learnt.
  const json whole = check();
  EXPECT_TRUE(whole["faults"].empty()) << whole.dump(2);
  ASSERT_NO_FATAL_FAILURE(kill_all());
  const fs::path registry = data_ / "registry.db", policy = site_.path("site/policy"), mode_file = data_ / "mode",
                 samples = files_in(data_, "raw-", ".db").back(),
                 decisions = files_in(data_ / "decisions", "", ".db").back(),
                 checkpoint = files_in(learner, "", ".checkpoint").back();
  for (const fs::path& file :
       {registry, samples, decisions, checkpoint, weights, policy / "policy.onnx", artifact / "policy.onnx"})
    ASSERT_NO_FATAL_FAILURE(cut(file));
  for (const fs::path& file : {registry, samples, decisions})  // else that may mend them
    ASSERT_NO_FATAL_FAILURE(flip(file.string() + "-wal", 0));
  ASSERT_TRUE(write_file(mode_file, "automat\x01"));
  const json cut_through = check();
  for (const fs::path& file : {registry, samples, decisions, checkpoint, weights})
    EXPECT_TRUE(names(cut_through["faults"], file)) << file << cut_through.dump(2);
  ASSERT_NO_FATAL_FAILURE(comes_back_by(site_.policy_sha256()));
  is_told({registry, samples, decisions, checkpoint, weights, mode_file}, {policy, artifact});
  EXPECT_EQ(versions_.agent().active(), "0.0.0");
  EXPECT_EQ(versions_.version("1.1.0").state(), "rolled_back") << "the copy of the registry knows it";
  EXPECT_TRUE(PilotSite::eventually(
      [&] { return site_.logged("learner.climate", "learning goes on from a checkpoint", started_).has_value(); },
      20s));

  // And what is copied of it now can be restored.
  const json mended = check();
  EXPECT_TRUE(mended["faults"].empty()) << mended.dump(2);

  // Stopped. Nothing of what was learnt is whole, and nothing that says which version is to act.
  ASSERT_NO_FATAL_FAILURE(stop());
  for (const char* name : {"policy.onnx", "manifest.yaml"})
    fs::copy_file(data_ / "policies/climate.last-whole" / name, policy / name, fs::copy_options::overwrite_existing);
  const auto checkpoints = files_in(learner, "", ".checkpoint");
  for (const fs::path& file : {registry, fs::path(registry.string() + ".copy")}) ASSERT_NO_FATAL_FAILURE(flip(file, 0));
  for (const fs::path& file : {samples, decisions}) ASSERT_NO_FATAL_FAILURE(flip(file, 4096));
  for (const fs::path& file : checkpoints) ASSERT_NO_FATAL_FAILURE(flip(file, 100));
  ASSERT_TRUE(write_file(active, std::string(129, '\0')));
  ASSERT_NO_FATAL_FAILURE(comes_back_by(site_.policy_sha256()));
  is_told({registry, samples, decisions, active});
  is_told(checkpoints);
  EXPECT_EQ(versions_.agent().active(), "0.0.0");
  // What is to be learnt is made of the decision log, and kept again.
  EXPECT_TRUE(PilotSite::eventually([&] { return !files_in(learner, "", ".checkpoint").empty(); }, 30s))
      << site_.log("learner.climate");

  site_.expect_rules_were_kept(0);
  ASSERT_NO_FATAL_FAILURE(stop());
  const json after = check();
  EXPECT_TRUE(after["faults"].empty()) << after.dump(2);
  EXPECT_GE(after["notes"].size(), 10U) << after.dump(2);
}

}  // namespace
}  // namespace rltune
