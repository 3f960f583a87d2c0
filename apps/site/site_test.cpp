// The real executable: on files, beside a store that the historian wrote, and against an io role that answers by
// script.
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "command_answer.hpp"
#include "example_site.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/file.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/guard/guard.hpp"
#include "rltune/historian/historian.hpp"
#include "rltune/v1/control.pb.h"
#include "temporary_folder.hpp"

namespace rltune {
namespace {

using nlohmann::json;

using Answer = CommandAnswer;

class SiteTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(write_file(file(), config::example_site())); }

  std::string file() const { return (folder_.path() / "site.yaml").string(); }

  Answer run(const std::string& arguments) const {
    return run_command(RLTUNE_BIN_DIR "/rltune-site " + arguments, folder_.path());
  }

  TemporaryFolder folder_;
};

TEST_F(SiteTest, check_accepts_and_warns) {
  const Answer answer = run("check " + file());
  EXPECT_EQ(answer.status, 0) << answer.err;
  EXPECT_EQ(answer.out,
            file() + ": site pilot is valid: 7 tags, 1 output, 1 agent, 1 interlock; starts in automatic mode\n");
  EXPECT_NE(
      answer.err.find("warning: agent climate: there is no policy at " + (folder_.path() / "policies/pilot").string()),
      std::string::npos)
      << answer.err;
  const json report = json::parse(run("check " + file() + " --json").out);
  EXPECT_EQ(report["valid"], true);
  EXPECT_EQ(report["outputs"], json({"heating"}));
  ASSERT_EQ(report["warnings"].size(), 2U);
  EXPECT_NE(report["warnings"][1].get<std::string>().find("plain text on the disk"), std::string::npos);
}

TEST_F(SiteTest, check_says_whether_who_and_why_is_encrypted_and_where_the_key_lies) {
  const auto warnings = [&](const std::string& storage) {
    std::string text = config::example_site_with("rltune/site/v1", "rltune/site/v2");
    text.replace(text.find("guard:\n"), 7, "storage: {" + storage + "}\nguard:\n");
    EXPECT_TRUE(write_file(file(), text));
    const Answer answer = run("check " + file());
    EXPECT_EQ(answer.status, 0) << answer.err;
    return answer.err;
  };
  const std::string inside = (folder_.path() / "north.key").string();
  EXPECT_NE(warnings("encrypted: true").find("RLTUNE_STORAGE_KEY"), std::string::npos);
  EXPECT_NE(warnings("encrypted: true, key_file: north.key").find(inside + " is not there"), std::string::npos);
  EXPECT_EQ(run("key " + inside).status, 0);
  EXPECT_EQ(run("key " + inside).status, 1) << "a key is not replaced";
  const std::string beside = warnings("encrypted: true, key_file: north.key");
  EXPECT_NE(beside.find("lies in the site's folder"), std::string::npos) << beside;
  EXPECT_EQ(beside.find("is not there"), std::string::npos) << beside;
  const TemporaryFolder elsewhere;
  const std::string away = (elsewhere.path() / "north.key").string();
  ASSERT_EQ(run("key " + away).status, 0);
  ASSERT_EQ(run("key --rotate " + away).status, 0);
  EXPECT_EQ(read_file(away).value().size(), 2 * 65U);
  EXPECT_EQ(warnings("encrypted: true, key_file: " + away).find("storage:"), std::string::npos);
}

TEST_F(SiteTest, check_names_every_fault_and_fails) {
  std::string text = config::example_site_with("role: setpoint", "role: output");
  text.replace(text.find("period_s: 60"), 12, "period_s: -6");
  ASSERT_TRUE(write_file(file(), text));
  const Answer answer = run("check " + file());
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(answer.out, "");
  EXPECT_NE(answer.err.find(file() + ":24: tags[3].role: 'output' is not one of"), std::string::npos) << answer.err;
  const Answer machine = run("check --json " + file());
  EXPECT_EQ(machine.status, 1);
  const json report = json::parse(machine.out);
  EXPECT_EQ(report["valid"], false);
  ASSERT_EQ(report["faults"].size(), 2U);
  EXPECT_EQ(report["faults"][1]["line"], 40);
  EXPECT_EQ(report["faults"][1]["message"], "agents[0].period_s: -6 must be at least 0.001 and at most 604800");
}

TEST_F(SiteTest, wrong_usage_is_two_and_a_missing_file_is_named) {
  EXPECT_EQ(run("check").status, 2);
  EXPECT_EQ(run("nonsense").status, 2);
  EXPECT_EQ(run("mode " + file() + " sideways").status, 2);
  EXPECT_EQ(run("init --out x.yaml").status, 2);
  EXPECT_EQ(run("--help").status, 0);
  const Answer answer = run("check /nonexistent/site.yaml");
  EXPECT_EQ(answer.status, 1);
  EXPECT_NE(answer.err.find("/nonexistent/site.yaml"), std::string::npos);
}

TEST_F(SiteTest, schema_is_json_schema) {
  const json schema = json::parse(run("schema").out);
  EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  const std::string out = (folder_.path() / "schema.json").string();
  EXPECT_EQ(run("schema --out " + out).status, 0);
  EXPECT_EQ(json::parse(*read_file(out)), schema);
}

TEST_F(SiteTest, storage_tells_how_long_the_disk_lasts) {
  EXPECT_EQ(run("storage " + file()).status, 1) << "nothing is stored yet";
  {
    const std::vector<std::string> tags{"temperature"};
    auto historian = historian::Historian::open({.folder = folder_.path() / "data"}, tags);
    ASSERT_TRUE(historian) << historian.error().message;
    const TimePoint now = WallClock().now();
    std::vector<Sample> samples;
    for (int i = 0; i < 5000; ++i)
      samples.push_back({.value = i * 0.1,
                         .source_time = now - std::chrono::seconds(5000 - i),
                         .received_time = now,
                         .quality = Quality::good});
    historian->append(samples);
    ASSERT_TRUE(historian->flush());
  }
  const Answer answer = run("storage --json " + file());
  EXPECT_EQ(answer.status, 0) << answer.err;
  const json report = json::parse(answer.out);
  EXPECT_EQ(report["samples"], 5000);
  EXPECT_GT(report["bytes_free"], 0);
  EXPECT_TRUE(report["trouble"].is_null());
  EXPECT_NE(run("storage " + file()).out.find("disk lasts"), std::string::npos);
}

TEST_F(SiteTest, init_does_not_write_over_a_file_or_go_on_without_security) {
  const std::string url = " --opcua opc.tcp://127.0.0.1:1 ";
  EXPECT_EQ(run("init" + url + "--out " + file()).status, 2);
  const std::string other = (folder_.path() / "other.yaml").string();
  EXPECT_EQ(run("init" + url + "--security None --out " + other).status, 2);
  EXPECT_EQ(run("init" + url + "--user me --out " + other).status, 2);
  EXPECT_EQ(run("init" + url + "--out " + other + " --pki " + (folder_.path() / "pki").string()).status, 1)
      << "nobody listens";
  EXPECT_FALSE(std::filesystem::exists(other));
}

TEST_F(SiteTest, a_site_that_does_not_run_is_said_so) {
  const Answer answer = run("status --timeout 0.2 " + file());
  EXPECT_EQ(answer.status, 1);
  EXPECT_NE(answer.err.find("is it running? Start it with: rltune up " + file()), std::string::npos) << answer.err;
}

// An io role that keeps a mode and one output, and knows no plant.
class FakeIo {
 public:
  explicit FakeIo(const std::filesystem::path& folder) {
    auto server = bus::Server::bind(bus::call_endpoint((folder / ".rltune").string(), "io"));
    EXPECT_TRUE(server) << server.error().message;
    server_.emplace(std::move(*server));
    server_->handle<v1::ModeRequest, v1::ModeAnswer>(
        "io.Mode", [this](const bus::Call&, const v1::ModeRequest& request, v1::ModeAnswer& answer) -> Result<> {
          reason = request.reason();
          if (request.mode() == refused_mode)
            answer.set_refused("the policy failed its validation");
          else if (!request.mode().empty())
            mode = request.mode();
          answer.set_mode(mode);
          return {};
        });
    server_->handle<v1::WriteRequest, v1::WriteAnswer>(
        "io.Write", [this](const bus::Call&, const v1::WriteRequest& request, v1::WriteAnswer& answer) -> Result<> {
          if (mode == "automatic") return fail(Errc::denied, "heating belongs to its agent in automatic mode");
          v1::OutputVerdict& verdict = *answer.mutable_verdict();
          verdict.set_tag(request.tag());
          verdict.set_action(
              static_cast<std::uint32_t>(request.value() > 150.0 ? guard::Action::clamped : guard::Action::accepted));
          verdict.set_reasons(request.value() > 150.0 ? static_cast<std::uint32_t>(guard::Reason::limit_high) : 0U);
          verdict.set_applied(std::min(request.value(), 150.0));
          verdict.set_written(true);
          answer.set_verified(true);
          return {};
        });
    server_->handle<v1::IoStatusRequest, v1::IoStatusAnswer>(
        "io.Status", [this](const bus::Call&, const v1::IoStatusRequest&, v1::IoStatusAnswer& answer) -> Result<> {
          answer.set_mode(mode);
          answer.set_link_state("connected");
          (*answer.mutable_verdicts())["accepted"] = 7;
          v1::Sample& sample = *answer.mutable_latest()->add_samples();
          sample.set_tag(0);
          sample.set_value(21.5);
          return {};
        });
    thread_ = std::thread([this] {
      while (!stop_) server_->serve(std::chrono::milliseconds(10));
    });
  }
  ~FakeIo() {
    stop_ = true;
    thread_.join();
  }

  std::string mode = "shadow", reason, refused_mode = "none";

 private:
  std::optional<bus::Server> server_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

TEST_F(SiteTest, mode_is_shown_and_changed_and_automatic_needs_a_yes) {
  {
    const FakeIo io(folder_.path());
    EXPECT_EQ(run("mode " + file()).out, "pilot: shadow\n");
    const Answer unasked = run("mode " + file() + " auto");
    EXPECT_EQ(unasked.status, 2);
    EXPECT_NE(unasked.err.find("The agents of pilot will write heating"), std::string::npos) << unasked.err;
    EXPECT_EQ(run("mode " + file()).out, "pilot: shadow\n");
    EXPECT_EQ(json::parse(run("mode --json --yes " + file() + " automatic --reason well").out)["mode"], "automatic");
    EXPECT_EQ(run("mode --yes " + file() + " automatic").out, "pilot: automatic, as before\n");
    EXPECT_EQ(run("hold " + file() + " --reason noise").out,
              "pilot: manual (was automatic)\nEvery output stays where it is. A value by hand: rltune site write " +
                  file() + " OUTPUT VALUE\nBack to what was: rltune site mode " + file() + " automatic\n");
  }
  FakeIo io(folder_.path());
  io.refused_mode = "automatic";
  const Answer refused = run("mode --yes --json " + file() + " automatic");
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(json::parse(refused.out)["refused"], "the policy failed its validation");
}

TEST_F(SiteTest, write_says_what_the_guard_made_of_it) {
  const FakeIo io(folder_.path());
  const Answer clamped = run("write --yes " + file() + " heating 160");
  EXPECT_EQ(clamped.status, 0) << clamped.err;
  EXPECT_EQ(clamped.out,
            "heating = 150 W/m2: clamped, read back from the plant; 160 was asked, and it is above the upper limit\n");
  EXPECT_EQ(run("write --yes " + file() + " heating 60").out,
            "heating = 60 W/m2: accepted, read back from the plant\n");
  EXPECT_NE(run("write --yes " + file() + " heating warm").err.find("warm"), std::string::npos);
  EXPECT_EQ(run("write " + file() + " heating 60").status, 2) << "nobody said yes";
  const Answer unknown = run("write --yes " + file() + " heeting 60");
  EXPECT_EQ(unknown.status, 2);
  EXPECT_NE(unknown.err.find("'heeting' is not an output of pilot; there are heating"), std::string::npos)
      << unknown.err;
  run("mode --yes " + file() + " automatic");
  const Answer denied = run("write --yes " + file() + " heating 60");
  EXPECT_EQ(denied.status, 1);
  EXPECT_NE(denied.err.find("belongs to its agent"), std::string::npos) << denied.err;
  EXPECT_NE(denied.err.find("rltune site mode " + file() + " manual"), std::string::npos) << denied.err;
}

TEST_F(SiteTest, status_shows_link_verdicts_and_tags) {
  const FakeIo io(folder_.path());
  const json report = json::parse(run("status --json " + file()).out);
  EXPECT_EQ(report["link"]["state"], "connected");
  EXPECT_EQ(report["verdicts"]["accepted"], 7);
  EXPECT_EQ(report["tags"][0]["name"], "temperature");
  EXPECT_EQ(report["tags"][0]["value"], 21.5);
  EXPECT_NE(run("status --tags " + file()).out.find("21.5 degC"), std::string::npos);
}

}  // namespace
}  // namespace rltune
