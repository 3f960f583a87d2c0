// The product upgraded and taken back while a site runs: nothing lost, outputs held for seconds at most, whole after a
// kill at every step, back by itself from a version that does not run.
//
// The other version is made of the same programs: their version stands in one place behind a mark, and is overwritten.
// So its files are different ones and say another version; what they do is the same.
#include <sys/stat.h>

#include <fstream>

#include "pilot_site.hpp"
#include "rltune/base/version.hpp"
#include "rltune/sqlite/sqlite.hpp"
#include "rltune/upgrade/upgrade.hpp"

namespace rltune {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::ChildProcess;
using testing::PilotSite;

constexpr std::array kPrograms{"rltune",       "rltune-up",      "rltune-coredinator", "rltune-io",
                               "rltune-agent", "rltune-learner", "rltune-telemetry"};
constexpr const char* kNext = "0.9.9";

std::string now_version() { return std::string(version()); }

// A program that starts well enough for `--help` and does something else when it is run.
std::string script(const std::string& what) { return "#!/bin/sh\n[ \"$1\" = --help ] && exit 0\n" + what + "\n"; }

void put_program(const fs::path& file, const std::string& bytes) {
  ASSERT_TRUE(write_file(file, bytes));
  ::chmod(file.c_str(), 0755);
}

// The bytes of a program that says another version.
std::string of_version(std::string bytes, const std::string& wanted) {
  const std::string mark = std::string("rltune-version:") + '\0';
  for (std::size_t at = bytes.find(mark); at != std::string::npos; at = bytes.find(mark, at + 1))
    bytes.replace(at + mark.size(), wanted.size() + 1, wanted + '\0');
  return bytes;
}

class Host {
 public:
  Host() {
    key_ = *upgrade::make_key(path("builder"));
    EXPECT_TRUE(write_file(path("root/keys/builder.pub"), key_ + "\n"));
    make_bundle(now_version(), {});
    make_bundle(kNext, {});
  }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string root() const { return path("root"); }
  std::string bundle(const std::string& version) const { return path(version + ".bundle"); }
  std::string programs() const { return path("root/current/bin"); }
  std::string current() const { return upgrade::Root(root()).current(); }

  // `instead`: other bytes for some programs.
  void make_bundle(const std::string& wanted, const std::map<std::string, std::string>& instead,
                   std::vector<upgrade::Format> formats = upgrade::own_formats()) const {
    const std::string stage = path("stage");
    fs::remove_all(stage);
    for (const char* name : kPrograms) {
      const auto other = instead.find(name);
      const auto bytes = read_file(std::string(RLTUNE_BIN_DIR) + "/" + name);
      ASSERT_TRUE(bytes);
      put_program(fs::path(stage) / "bin" / name, other == instead.end() ? of_version(*bytes, wanted) : other->second);
    }
    const auto key = audit::SigningKey::of_seed(read_file(path("builder"))->substr(0, 64));
    const auto packed = upgrade::pack(stage,
                                      {.version = wanted,
                                       .architecture = upgrade::own_architecture(),
                                       .created = "2026-01-02T03:04:05Z",
                                       .formats = std::move(formats)},
                                      *key, bundle(wanted));
    ASSERT_TRUE(packed) << packed.error().message;
  }

  struct Said {
    int status = -1;
    nlohmann::json json;
    std::string stderr_text;
  };
  std::unique_ptr<ChildProcess> begin(std::vector<std::string> words) const {
    words.insert(words.begin(), std::string(RLTUNE_BIN_DIR) + "/rltune-upgrade");
    words.insert(words.end(), {"--root", root(), "--json"});
    return std::make_unique<ChildProcess>(words, path("upgrade.log"));
  }
  Said run(std::vector<std::string> words) const {
    fs::remove(path("upgrade.log"));
    const auto child = begin(std::move(words));
    std::string text;
    while (auto line = child->read_line(150s)) text += *line + "\n";
    return {child->wait(10s).value_or(-1), nlohmann::json::parse(text, nullptr, false),
            read_file(path("upgrade.log")).value_or("")};
  }
  Said apply(const std::string& version) const { return run({"apply", bundle(version)}); }

  // Programs of one version, all of them, nothing half-made in their way, and nothing under way.
  void expect_whole(const std::string& wanted) const {
    const upgrade::Root root(this->root());
    EXPECT_EQ(root.current(), wanted);
    const std::vector<std::string> keys{key_};
    const auto whole = upgrade::verify_unpacked(root.version_folder(root.current()), keys);
    EXPECT_TRUE(whole) << (whole ? "" : whole.error().message);
  }
  void expect_settled() const {
    const upgrade::Root root(this->root());
    EXPECT_FALSE(root.note()->has_value());
    for (const auto& entry : fs::directory_iterator(fs::path(this->root()) / "versions"))
      EXPECT_NE(entry.path().filename().string()[0], '.') << entry.path();
  }

 private:
  TemporaryFolder folder_;
  std::string key_;
};

class Upgrade : public ::testing::Test {
 protected:
  void start(testing::PilotOptions options = {}) {
    ASSERT_EQ(host_.apply(now_version()).status, 0);
    options.lockstep = false;
    options.period_s = 0.1;
    options.rule = testing::tight_rule;
    options.change_policy = testing::make_restless;
    options.twin_arguments.insert(options.twin_arguments.end(), {"--observation-noise", "0.05"});
    options.programs = host_.programs();
    site_ = std::make_unique<PilotSite>(options);
    ASSERT_NO_FATAL_FAILURE(site_->start());
    ASSERT_TRUE(site_->decides(10)) << site_->everything();
    ASSERT_TRUE(PilotSite::eventually([&] { return running(now_version()); }, 30s)) << site_->everything();
  }
  bool running(const std::string& version) const {
    const auto standing = upgrade::status(host_.root());
    if (!standing || standing->sites.size() != 1) return false;
    const auto& [keeper, state] = standing->sites[0];
    return state.answers && state.version == version && keeper.version == version &&
           state.healthy().size() == state.roles.size() && !state.roles.empty();
  }
  // The longest time between two decisions that were written, with what was decided before and after it.
  double held_since(TimePoint from) const {
    double longest = 0.0;
    TimePoint last{};
    for (const historian::Decision& decision : site_->recorded(from)) {
      if (std::ranges::none_of(decision.outputs, &historian::DecisionOutput::written)) continue;
      if (last != TimePoint{}) longest = std::max(longest, to_seconds(decision.wall_time - last));
      last = decision.wall_time;
    }
    return longest;
  }
  // Stops the site. Whatever the plant's own record has of a set-point, decisions on record wrote it, in that order.
  // The plant's own control, which takes over 5 s after the last heartbeat, writes what no decision has.
  void expect_nothing_was_lost() {
    site_->up().signal(SIGTERM);
    ASSERT_EQ(site_->up().wait(20s), 0) << site_->everything();
    std::map<std::string, testing::PlantRecord> records;
    for (const config::OutputRule& rule : site_->rules()) records[rule.tag] = site_->record(rule.tag);
    std::map<std::string, std::vector<double>> written;
    for (const historian::Decision& decision : site_->recorded())
      for (const historian::DecisionOutput& output : decision.outputs)
        if (output.written) written[output.tag].push_back(output.applied);
    std::size_t changes = 0, lost = 0;
    for (const auto& [tag, record] : records) {
      auto at = written[tag].begin();
      for (std::size_t i = 1; i < record.size(); ++i) {
        if (record[i].value == record[i - 1].value) continue;
        ++changes;
        const auto found = std::find(at, written[tag].end(), record[i].value);
        if (found != written[tag].end()) {
          at = found;
          continue;
        }
        ++lost;
        std::printf("%s: change %zu of %zu at the plant, at %.3f s to %.17g, stands in no decision\n", tag.c_str(), i,
                    record.size(), record[i].time_s, record[i].value);
      }
    }
    EXPECT_EQ(lost, 0U);
    EXPECT_GE(changes, 50U);
    std::printf("%zu changes of set-points at the plant, %zu of them without a decision on record\n", changes, lost);
  }

  Host host_;
  std::unique_ptr<PilotSite> site_;
};

// Rounds of the short form; RLTUNE_UPGRADES asks for more.
int rounds() {
  const char* wanted = std::getenv("RLTUNE_UPGRADES");
  return wanted == nullptr ? 2 : std::atoi(wanted);
}

TEST_F(Upgrade, to_the_next_version_and_back_loses_nothing) {
  ASSERT_NO_FATAL_FAILURE(start({.learning = true}));
  const pid_t keeper = upgrade::status(host_.root())->sites[0].running.pid;
  std::vector<double> held;
  for (int round = 0; round < rounds(); ++round) {
    for (const bool back : {false, true}) {
      const TimePoint from = WallClock().now();
      const auto said = back ? host_.run({"rollback"}) : host_.apply(kNext);
      ASSERT_EQ(said.status, 0) << said.json << said.stderr_text << site_->everything();
      const std::string wanted = back ? now_version() : kNext;
      EXPECT_EQ(said.json["current"], wanted);
      EXPECT_TRUE(running(wanted));
      ASSERT_TRUE(site_->decides(10)) << site_->everything();
      held.push_back(held_since(from));
      EXPECT_LT(held.back(), 10.0);
    }
  }
  EXPECT_EQ(upgrade::status(host_.root())->sites[0].running.pid, keeper) << "the same process went on";
  EXPECT_EQ(site_->io_status()->mode(), "automatic");
  std::ranges::sort(held);
  std::printf("%zu upgrades: outputs held for %.2f s in the median, %.2f s at most\n", held.size(),
              held[held.size() / 2], held.back());
  site_->expect_rules_were_kept(50);
  expect_nothing_was_lost();
  host_.expect_whole(now_version());
  host_.expect_settled();
}

// The command that the tests below kill, as it takes the step of a number: this program, started again with these
// variables set, is nothing but that.
class Command final : public ::testing::Environment {
 public:
  void SetUp() override {
    const char* const kill_at = std::getenv("RLTUNE_TEST_KILL_AT");
    if (kill_at == nullptr) return;
    int left = std::atoi(kill_at);
    const upgrade::Options options{.root = std::getenv("RLTUNE_TEST_ROOT"),
                                   .settle = 300ms,
                                   .user = "test",
                                   .on_step = [&](const std::string& step) {
                                     std::printf("step %s\n", step.c_str());
                                     std::fflush(stdout);
                                     if (--left == 0) ::kill(::getpid(), SIGKILL);
                                   }};
    const char* const bundle = std::getenv("RLTUNE_TEST_BUNDLE");
    const auto outcome = bundle != nullptr ? upgrade::apply(bundle, options) : upgrade::rollback(options);
    ::_exit(outcome && !outcome->undone ? 0 : 1);
  }
};
[[maybe_unused]] const auto* const kCommand = ::testing::AddGlobalTestEnvironment(new Command);

class KilledUpgrade : public Upgrade {
 protected:
  struct End {
    int status = -1;
    std::vector<std::string> steps;
  };
  // Up to the step of this number, where it is killed; to the end with 0. An empty bundle: a rollback.
  End go(int kill_at, const std::string& bundle) {
    ::setenv("RLTUNE_TEST_KILL_AT", std::to_string(kill_at).c_str(), 1);
    ::setenv("RLTUNE_TEST_ROOT", host_.root().c_str(), 1);
    if (bundle.empty())
      ::unsetenv("RLTUNE_TEST_BUNDLE");
    else
      ::setenv("RLTUNE_TEST_BUNDLE", bundle.c_str(), 1);
    ChildProcess child(
        {fs::read_symlink("/proc/self/exe").string(), "--gtest_filter=KilledUpgrade.*", "--gtest_output="},
        host_.path("killed.log"));
    End end;
    while (auto line = child.read_line(120s))
      if (line->starts_with("step ")) end.steps.push_back(line->substr(5));
    end.status = child.wait(10s).value_or(-1);
    return end;
  }
  // As on a host that never had it: it is unpacked again.
  void forget_next() const {
    const upgrade::Root root(host_.root());
    ASSERT_EQ(root.current(), now_version());
    ASSERT_TRUE(root.set_previous(""));
    if (root.has(kNext)) {
      ASSERT_TRUE(root.remove(kNext));
    }
  }
  // All steps but those that only unpack one file more.
  static std::vector<int> telling(const std::vector<std::string>& steps) {
    std::vector<int> numbers;
    int unpacked = 0;
    for (std::size_t i = 0; i < steps.size(); ++i)
      if (!steps[i].starts_with("unpack ") || ++unpacked == 1 || unpacked == 4)
        numbers.push_back(static_cast<int>(i) + 1);
    return numbers;
  }
};

TEST_F(KilledUpgrade, leaves_one_whole_version_at_every_step_and_the_next_command_goes_on) {
  ASSERT_NO_FATAL_FAILURE(start());
  const End whole = go(0, host_.bundle(kNext));
  ASSERT_EQ(whole.status, 0) << site_->everything();
  ASSERT_GE(whole.steps.size(), 12U);
  ASSERT_EQ(go(0, "").status, 0);
  int killed = 0;
  for (const int number : telling(whole.steps)) {
    SCOPED_TRACE("killed at: " + whole.steps[static_cast<std::size_t>(number) - 1]);
    ASSERT_NO_FATAL_FAILURE(forget_next());
    EXPECT_EQ(go(number, host_.bundle(kNext)).status, 128 + SIGKILL);
    const std::string current = host_.current();
    ASSERT_TRUE(current == now_version() || current == kNext) << current;
    host_.expect_whole(current);
    // Whoever comes next wants the one or the other; every other one is for the way back.
    const bool back = ++killed % 2 == 0 && current == kNext;
    const End next = go(0, back ? "" : host_.bundle(kNext));
    if (!back) {
      ASSERT_EQ(next.status, 0) << site_->everything();
    }
    const std::string wanted = back ? now_version() : kNext;
    EXPECT_EQ(host_.current(), wanted);
    EXPECT_TRUE(running(wanted)) << site_->everything();
    host_.expect_whole(wanted);
    host_.expect_settled();
    if (!back) {
      ASSERT_EQ(go(0, "").status, 0);
    }
  }
  // The way back is killed at each of its steps as well.
  ASSERT_EQ(go(0, host_.bundle(kNext)).status, 0);
  const End back = go(0, "");
  ASSERT_EQ(back.status, 0);
  for (const int number : telling(back.steps)) {
    SCOPED_TRACE("rollback killed at: " + back.steps[static_cast<std::size_t>(number) - 1]);
    ASSERT_EQ(go(0, host_.bundle(kNext)).status, 0);
    EXPECT_EQ(go(number, "").status, 128 + SIGKILL);
    ASSERT_EQ(go(0, host_.bundle(now_version())).status, 0) << site_->everything();
    EXPECT_TRUE(running(now_version())) << site_->everything();
    host_.expect_whole(now_version());
    host_.expect_settled();
    ++killed;
  }
  std::printf("killed at %d steps\n", killed);
  EXPECT_TRUE(site_->decides(10));
  expect_nothing_was_lost();
}

// Whenever it comes.
TEST_F(KilledUpgrade, at_any_moment_leaves_one_whole_version) {
  ASSERT_NO_FATAL_FAILURE(start());
  Random random(7);
  for (int round = 0; round < 2 * rounds(); ++round) {
    const auto child = host_.begin({"apply", host_.bundle(kNext)});
    const auto moment = std::chrono::milliseconds(static_cast<int>(random.uniform(0.0, 4000.0)));
    child->wait(moment);
    child->signal(SIGKILL);
    child->wait(5s);
    const std::string current = host_.current();
    SCOPED_TRACE(std::format("killed after {} ms, {} is current", moment.count(), current));
    ASSERT_TRUE(current == now_version() || current == kNext) << current;
    host_.expect_whole(current);
    ASSERT_EQ(host_.apply(now_version()).status, 0) << site_->everything();
    EXPECT_TRUE(running(now_version())) << site_->everything();
    host_.expect_settled();
  }
  expect_nothing_was_lost();
}

struct Broken {
  const char* name;
  const char* program;
  const char* what;
};

class BrokenVersion : public Upgrade, public ::testing::WithParamInterface<Broken> {};

TEST_P(BrokenVersion, is_undone_by_itself) {
  host_.make_bundle("0.9.8", {{GetParam().program, script(GetParam().what)}});
  ASSERT_NO_FATAL_FAILURE(start());
  const TimePoint from = WallClock().now();
  const auto said = host_.apply("0.9.8");
  EXPECT_EQ(said.status, 1) << said.json;
  EXPECT_EQ(said.json["undone"], true) << said.json;
  EXPECT_EQ(said.json["current"], now_version());
  std::printf("%s: %s\n", GetParam().name, said.json["why"].get<std::string>().c_str());
  EXPECT_TRUE(running(now_version())) << site_->everything();
  ASSERT_TRUE(site_->decides(10)) << site_->everything();
  const double held = held_since(from);
  std::printf("outputs held for %.2f s\n", held);
  EXPECT_LT(held, 10.0);
  host_.expect_whole(now_version());
  host_.expect_settled();
  EXPECT_EQ(upgrade::Root(host_.root()).versions().size(), 1U) << "what does not run is not kept";
}

INSTANTIATE_TEST_SUITE_P(All, BrokenVersion,
                         ::testing::Values(Broken{"io_crashes", "rltune-io", "kill -SEGV $$"},
                                           Broken{"io_hangs", "rltune-io", "trap '' TERM; while :; do sleep 1; done"},
                                           Broken{"coredinator_refuses", "rltune-coredinator", "exit 2"},
                                           Broken{"coredinator_crashes", "rltune-coredinator", "kill -ABRT $$"},
                                           Broken{"coredinator_hangs", "rltune-coredinator",
                                                  "trap '' TERM; while :; do sleep 1; done"},
                                           Broken{"agent_crashes", "rltune-agent", "sleep 0.3; kill -ABRT $$"}),
                         [](const auto& broken) { return broken.param.name; });

TEST_F(Upgrade, programs_that_do_not_start_here_change_nothing) {
  ASSERT_NO_FATAL_FAILURE(start());
  host_.make_bundle("0.9.8", {{"rltune-agent", "#!/bin/sh\nexit 127\n"}});
  const auto said = host_.apply("0.9.8");
  EXPECT_EQ(said.status, 1);
  EXPECT_NE(said.stderr_text.find("bin/rltune-agent does not run here"), std::string::npos) << said.stderr_text;
  host_.expect_whole(now_version());
  host_.expect_settled();
  EXPECT_EQ(site_->role("io").restarts(), 0U);
}

TEST_F(Upgrade, a_version_without_a_way_back_is_refused_and_taken_only_when_one_insists) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto formats = upgrade::own_formats();
  auto& log = *std::ranges::find(formats, "decision-log", &upgrade::Format::name);
  log.writes = log.reads_to = historian::kDecisionLogFormat + 1;
  host_.make_bundle("0.9.8", {}, formats);
  const auto refused = host_.apply("0.9.8");
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.stderr_text.find("there would be no way back"), std::string::npos) << refused.stderr_text;
  EXPECT_EQ(host_.current(), now_version());
  EXPECT_EQ(host_.run({"apply", host_.bundle("0.9.8"), "--one-way"}).status, 0);
  EXPECT_TRUE(running("0.9.8"));
  // It has not written anything that the version before cannot read, so the way back is open after all.
  EXPECT_EQ(host_.run({"rollback"}).status, 0);
  // Once it has, the way back is closed, with the file named.
  ASSERT_EQ(host_.run({"apply", host_.bundle("0.9.8"), "--one-way"}).status, 0);
  const std::string file = site_->path("site/data/decisions/decisions-2001-01-01.db");
  sqlite::create_tables(*sqlite::open_writer(file, 1 << 20), "CREATE TABLE decision(x)",
                        historian::kDecisionLogFormat + 1);
  const auto closed = host_.run({"rollback"});
  EXPECT_EQ(closed.status, 1);
  EXPECT_NE(closed.stderr_text.find(file), std::string::npos) << closed.stderr_text;
  EXPECT_EQ(host_.current(), "0.9.8");
  EXPECT_TRUE(running("0.9.8"));
}

TEST_F(Upgrade, a_bundle_with_one_changed_byte_is_refused_wherever_it_is) {
  const std::string good = *read_file(host_.bundle(kNext));
  Random random(11);
  for (int round = 0; round < 12 * rounds(); ++round) {
    const auto at = static_cast<std::size_t>(random.uniform(0.0, static_cast<double>(good.size() - 1)));
    std::fstream file(host_.bundle(kNext), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at)).put(static_cast<char>(good[at] ^ 0x10)).flush();
    const auto said = host_.run({"check", host_.bundle(kNext)});
    EXPECT_EQ(said.status, 1) << "byte " << at;
    file.seekp(static_cast<std::streamoff>(at)).put(good[at]);
  }
  EXPECT_EQ(host_.run({"check", host_.bundle(kNext)}).status, 0);
}

}  // namespace
}  // namespace rltune
