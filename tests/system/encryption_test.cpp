// A site that keeps who did what, and why, encrypted: after orders of persons over every way there is, their words are
// in no file of it; the commands show them with the key, and without it the plant is still controlled.
#include "command_answer.hpp"
#include "rltune/vault/vault.hpp"
#include "site_versions.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::PilotSite;
using testing::SiteVersions;

constexpr const char* kWho = "philomena.grünwald";
constexpr const char* kWhy = "the vents rattle at dawn";
constexpr const char* kLater = "the boiler whistles at noon";

class Encryption : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::PilotOptions options = testing::versions_options("shadow");
    options.edits = {{"rltune/site/v1", "rltune/site/v2"},
                     {"guard:\n", "storage: {encrypted: true, key_file: " + key_ + "}\nguard:\n"}};
    site_ = std::make_unique<PilotSite>(options);
    ASSERT_EQ(rltune("site key " + key_).status, 0);
    versions_.emplace(*site_);
    ASSERT_NO_FATAL_FAILURE(site_->start());
    ASSERT_TRUE(site_->decides(10)) << site_->everything();
  }

  CommandAnswer rltune(const std::string& arguments) const {
    return run_command(std::string(RLTUNE_BIN_DIR) + "/rltune " + arguments, site_->path(""));
  }

  Result<v1::ModeAnswer> mode(const std::string& mode, const std::string& why) {
    v1::ModeRequest request;
    request.set_mode(mode);
    request.set_user(kWho);
    request.set_reason(why);
    return site_->ask<v1::ModeAnswer>("io", "io.Mode", request);
  }
  Result<v1::WriteAnswer> write(const std::string& why) {
    v1::WriteRequest request;
    request.set_tag("heating");
    request.set_value(60.0);
    request.set_user(kWho);
    request.set_reason(why);
    return site_->ask<v1::WriteAnswer>("io", "io.Write", request, 5s);
  }
  Result<v1::AgentInfo> deploy(const std::string& folder, const std::string& version, const std::string& why) {
    v1::DeployRequest request;
    request.set_agent("climate");
    request.set_version(version);
    request.set_folder(folder);
    *request.mutable_traffic() = SiteVersions::quick_traffic();
    request.set_user(kWho);
    request.set_reason(why);
    return site_->ask<v1::AgentInfo>("coredinator", "coredinator.Deploy", request, 10s);
  }
  template <typename Order>
  Result<v1::AgentInfo> order(const std::string& method, const std::string& verb, const std::string& why) {
    Order order;
    order.set_agent("climate");
    order.set_verb(verb);
    order.set_user(kWho);
    order.set_reason(why);
    return site_->ask<v1::AgentInfo>("coredinator", method, order, 5s);
  }
  Result<v1::AgentInfo> order_agent(const std::string& verb, const std::string& why) {
    return order<v1::AgentOrder>("coredinator.OrderAgent", verb, why);
  }
  Result<v1::AgentInfo> order_version(const std::string& verb, const std::string& why) {
    return order<v1::VersionOrder>("coredinator.OrderVersion", verb, why);
  }

  // Files below the site's folder and the run folder, and what the processes said, that hold these bytes.
  std::vector<std::string> files_with(const std::string& words) const {
    std::vector<std::string> found;
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(site_->path(""))) {
      if (!entry.is_regular_file()) continue;
      ++files;
      if (read_file(entry.path()).value_or("").contains(words)) found.push_back(entry.path().string());
    }
    EXPECT_GT(files, 20U);
    return found;
  }
  void expect_no_words() const {
    for (const std::string words : {"philomena", "grünwald", "rattle", "whistles"})
      EXPECT_EQ(files_with(words), std::vector<std::string>{}) << words;
  }
  json audit_log() const {
    return json::parse(rltune("audit log " + site_->path("site/data") + " --json").out)["lines"];
  }
  json line_of(const std::string& action) const {
    for (const json& line : audit_log())
      if (line["action"] == action) return line;
    return json::object();
  }
  json by_hand() const {
    const auto answer = rltune("audit show --data " + site_->path("site/data") + " --origin manual --json");
    EXPECT_EQ(answer.status, 0) << answer.err;
    return json::parse(answer.out)["decisions"];
  }
  std::string history_of(const std::string& version) const {
    const auto answer = rltune("version show " + site_->site_file() + " climate " + version + " --json --run-folder " +
                               site_->run_folder());
    EXPECT_EQ(answer.status, 0) << answer.err;
    return answer.out;
  }
  void restart() {
    site_->up().signal(SIGTERM);
    ASSERT_TRUE(site_->up().wait(20s)) << site_->everything();
    site_->start_up();
    ASSERT_TRUE(PilotSite::eventually([&] { return site_->role("io").state() == "healthy"; }, 20s))
        << site_->everything();
  }

  const TemporaryFolder keys_;
  const std::string key_ = (keys_.path() / "north.key").string();
  std::unique_ptr<PilotSite> site_;
  std::optional<SiteVersions> versions_;
};

TEST_F(Encryption, persons_words_are_in_no_file_and_control_goes_on_without_the_key) {
  ASSERT_TRUE(write(kWhy));
  ASSERT_TRUE(mode("automatic", kWhy));
  ASSERT_TRUE(order_agent("stop", kWhy));
  ASSERT_TRUE(order_agent("start", kWhy));
  ASSERT_TRUE(site_->decides(5)) << site_->everything();
  ASSERT_TRUE(deploy(versions_->artifact("second", 2), "2.0.0", kWhy));
  ASSERT_TRUE(versions_->acts("2.0.0")) << site_->everything();
  ASSERT_TRUE(order_version("rollback", kWhy));
  ASSERT_TRUE(versions_->acts("0.0.0")) << site_->everything();

  // With the key the commands show them.
  ASSERT_TRUE(PilotSite::eventually([&] { return by_hand().size() == 1; }, 10s));
  EXPECT_EQ(by_hand()[0]["user"], kWho);
  EXPECT_EQ(by_hand()[0]["reason"], kWhy);
  for (const char* action :
       {"setpoint.write", "mode.change", "agent.stop", "agent.start", "version.staged", "version.rolled_back"}) {
    const json line = line_of(action);
    EXPECT_EQ(line["actor"], kWho) << action << line.dump();
    EXPECT_EQ(line["reason"], kWhy) << action;
  }
  EXPECT_TRUE(history_of("2.0.0").contains(kWho)) << history_of("2.0.0");
  EXPECT_TRUE(history_of("2.0.0").contains(kWhy));
  expect_no_words();
  EXPECT_GE(files_with("encrypted:v1:").size(), 4U) << "registry, decisions, two audit logs";

  // Without it: the plant is controlled, nothing is readable, and what would put words on record is refused.
  std::filesystem::rename(key_, key_ + ".away");
  ASSERT_NO_FATAL_FAILURE(restart());
  ASSERT_TRUE(site_->decides(10)) << site_->everything();
  EXPECT_TRUE(by_hand()[0]["user"].get<std::string>().starts_with("encrypted (key ")) << by_hand().dump(1);
  EXPECT_TRUE(line_of("setpoint.write")["actor"].get<std::string>().starts_with("encrypted (key "));
  EXPECT_FALSE(history_of("2.0.0").contains(kWhy));
  EXPECT_TRUE(history_of("2.0.0").contains("encrypted (key "));
  EXPECT_EQ(rltune("audit verify " + site_->path("site/data")).status, 0) << "the chain needs no key";
  const auto refused = [](const auto& answer) {
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::not_found);
    EXPECT_NE(answer.error().message.find("north.key is not there"), std::string::npos) << answer.error().message;
  };
  refused(mode("shadow", kLater));
  refused(write(kLater));
  refused(order_agent("start", kLater));
  refused(order_version("promote", kLater));
  refused(deploy(versions_->artifact("third", 3), "3.0.0", kLater));
  // Whoever takes the plant away from a policy waits for no key.
  ASSERT_TRUE(site_->decides(5)) << site_->everything();
  ASSERT_TRUE(order_agent("stop", kLater));
  const auto manual = mode("manual", kLater);
  ASSERT_TRUE(manual) << manual.error().message;
  EXPECT_EQ(manual->mode(), "manual");
  EXPECT_EQ(line_of("agent.start")["reason"].get<std::string>().find(kLater), std::string::npos);
  expect_no_words();

  // With it again: what was written before is readable, what was done meanwhile stands there without its words.
  std::filesystem::rename(key_ + ".away", key_);
  EXPECT_EQ(by_hand()[0]["user"], kWho);
  const json lines = audit_log();
  EXPECT_TRUE(std::ranges::any_of(lines, [](const json& line) {
    return line["action"] == "mode.change" && line["reason"] == vault::kWithheld;
  })) << lines.dump(1);
  ASSERT_NO_FATAL_FAILURE(restart());
  ASSERT_TRUE(order_agent("start", kLater));
  ASSERT_TRUE(site_->decides(5)) << site_->everything();
  expect_no_words();
}

}  // namespace
}  // namespace rltune
