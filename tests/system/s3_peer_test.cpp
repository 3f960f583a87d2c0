// Copies of backups in the bucket of another project's S3 server, which looks at every signature and hash: there and
// back, with a wrong key, and after a time without the server.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "child_process.hpp"
#include "example_site.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/random.hpp"
#include "temporary_folder.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using testing::ChildProcess;

constexpr const char* kPeers = RLTUNE_SOURCE_DIR "/tests/peers";
constexpr const char* kSecret = "wJalrXUtnFEMI-K7MDENG";

struct Ran {
  int status = -1;
  std::string out;
  nlohmann::json json() const { return nlohmann::json::parse(out, nullptr, false); }
};

class S3PeerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(std::string(kPeers) + "/node_modules/s3rver"))
      GTEST_SKIP() << "the npm packages of tests/peers are not installed; ./dev build fetches them";
    ASSERT_TRUE(write_file(path("site/site.yaml"), config::example_site()));
    // Larger than any buffer on the way, and nothing that could be compressed.
    std::string bytes;
    Random random(1);
    while (bytes.size() < 3'000'000) bytes += static_cast<char>(random.below(256));
    ASSERT_TRUE(write_file(path("site/data/large.bin"), bytes));
    ASSERT_TRUE(write_secret_file(path("s3.key"), std::string("S3RVER:") + kSecret + "\n"));
    ASSERT_EQ(run({"key", path("backup.key")}).status, 0);
  }

  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  void serve() {
    server_.emplace(
        std::vector<std::string>{"/usr/bin/node", std::string(kPeers) + "/s3.mjs", "--port", std::to_string(port_),
                                 "--folder", path("store"), "--bucket", "safe", "--secret", kSecret},
        path("server.log"));
    for (auto line = server_->read_line(60s); line != "ready"; line = server_->read_line(60s))
      ASSERT_TRUE(line) << read_file(path("server.log")).value_or("no log");
  }
  std::vector<std::string> with_s3(std::vector<std::string> arguments, const std::string& credentials) const {
    arguments.insert(arguments.end(), {"--s3-endpoint", "http://127.0.0.1:" + std::to_string(port_), "--s3-credentials",
                                       credentials, "--s3-region", "eu-central-1"});
    return arguments;
  }
  std::vector<std::string> command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {std::string(RLTUNE_BIN_DIR) + "/rltune", "backup"});
    return arguments;
  }
  Ran run(const std::vector<std::string>& arguments) {
    ChildProcess process(command(arguments), path("said.log"));
    Ran ran;
    while (const auto line = process.read_line(120s)) ran.out += *line + "\n";
    ran.status = process.wait(10s).value_or(-1);
    return ran;
  }
  std::string said() const { return read_file(path("said.log")).value_or(""); }
  std::vector<std::string> create(const std::string& credentials) const {
    return with_s3({"create", path("site/site.yaml"), "--to", path("local"), "--key", path("backup.key"), "--offsite",
                    "s3://safe/sites/north", "--json"},
                   credentials);
  }
  std::vector<std::string> names_there() {
    std::vector<std::string> names;
    const Ran listed = run(with_s3({"list", "s3://safe/sites/north", "--json"}, path("s3.key")));
    const auto json = listed.json();
    if (json.is_object())
      for (const auto& backup : json["backups"]) names.push_back(backup["file"]);
    return names;
  }
  static bool eventually(const std::function<bool()>& condition) {
    for (int turn = 0; turn < 200 && !condition(); ++turn) std::this_thread::sleep_for(100ms);
    return condition();
  }

  TemporaryFolder folder_;
  int port_ = testing::free_port();
  std::optional<ChildProcess> server_;
};

TEST_F(S3PeerTest, a_backup_goes_to_a_bucket_and_a_site_comes_back_from_there) {
  ASSERT_NO_FATAL_FAILURE(serve());
  const Ran made = run(create(path("s3.key")));
  ASSERT_EQ(made.status, 0) << said();
  const std::string name = std::filesystem::path(made.json()["file"].get<std::string>()).filename();
  EXPECT_EQ(names_there(), std::vector{name});
  const std::string object = "s3://safe/sites/north/" + name;
  EXPECT_EQ(run(with_s3({"verify", object, "--key", path("backup.key")}, path("s3.key"))).status, 0) << said();
  const Ran back =
      run(with_s3({"restore", object, "--key", path("backup.key"), "--to", path("again"), "--json"}, path("s3.key")));
  ASSERT_EQ(back.status, 0) << said();
  for (const char* file : {"site.yaml", "data/large.bin"})
    EXPECT_TRUE(read_file(path("again") + "/" + file).value_or("none") == read_file(path("site") + "/" + file).value())
        << file;
  // Nothing but the site is left of the way.
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
    EXPECT_FALSE(entry.path().filename().string().starts_with("rltune-backup-")) << entry.path();
  // What is there already is not sent again; what is not there is said.
  const Ran again =
      run(with_s3({"copy", path("local"), "--offsite", "s3://safe/sites/north", "--json"}, path("s3.key")));
  EXPECT_TRUE(again.json()["copied"].empty()) << again.out;
  EXPECT_EQ(
      run(with_s3({"restore", object + "x", "--key", path("backup.key"), "--to", path("more")}, path("s3.key"))).status,
      1);
  EXPECT_NE(said().find("NoSuchKey"), std::string::npos) << said();
}

TEST_F(S3PeerTest, a_wrong_key_is_refused_and_stands_nowhere) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_TRUE(write_secret_file(path("wrong.key"), "S3RVER:not-the-secret"));
  auto arguments = create(path("wrong.key"));
  arguments.insert(arguments.end(), {"--retry", "1s"});
  EXPECT_EQ(run(arguments).status, 1);
  EXPECT_NE(said().find("SignatureDoesNotMatch"), std::string::npos) << said();
  EXPECT_TRUE(names_there().empty());
  const Ran local = run({"list", path("local"), "--key", path("backup.key"), "--json"});
  EXPECT_EQ(local.json()["backups"].size(), 1U) << "the local one stands";
  EXPECT_NE(local.json()["copies"][0]["trouble"].get<std::string>().find("SignatureDoesNotMatch"), std::string::npos);
  EXPECT_EQ((said() + local.out).find("not-the-secret"), std::string::npos);
  ASSERT_TRUE(write_file(path("open.key"), "S3RVER:secret"));
  std::filesystem::permissions(path("open.key"), std::filesystem::perms::all);
  EXPECT_EQ(run(create(path("open.key"))).status, 1);
  EXPECT_NE(said().find("chmod 600"), std::string::npos) << said();
}

TEST_F(S3PeerTest, without_a_server_local_copies_stand_and_follow_when_it_comes) {
  auto arguments = create(path("s3.key"));
  arguments.insert(arguments.end(), {"--every", "2s", "--retry", "1s"});
  // All of them are of one day.
  ASSERT_TRUE(write_file(path("site/retention.yaml"),
                         "schema: rltune/retention/v2\nbackups: {newest: 2, daily: 1, weekly: 1, monthly: 1}\n"));
  ChildProcess schedule(command(arguments), path("schedule.log"));
  const auto copies = [&] {
    const Ran listed = run({"list", path("local"), "--key", path("backup.key"), "--json"});
    return listed.json().is_object() ? listed.json()["copies"] : nlohmann::json();
  };
  ASSERT_TRUE(eventually([&] { return !copies().empty() && copies()[0]["circuit"] == "open"; }))
      << read_file(path("schedule.log")).value_or("");
  const auto waiting = copies()[0];
  EXPECT_TRUE(waiting["next_try"].is_string() && waiting["newest_copied"].is_null()) << waiting.dump(2);
  EXPECT_NE(waiting["trouble"].get<std::string>().find("127.0.0.1"), std::string::npos) << waiting.dump(2);
  ASSERT_TRUE(eventually([&] {
    return run({"list", path("local"), "--key", path("backup.key"), "--json"}).json()["backups"].size() == 2;
  }));
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_TRUE(eventually([&] { return names_there().size() == 2; })) << names_there().size() << said();
  const std::vector<std::string> first = names_there();
  ASSERT_TRUE(eventually([&] { return names_there().size() == 2 && names_there() != first; })) << "the oldest go";
  EXPECT_EQ(copies()[0]["circuit"], "closed");
  EXPECT_TRUE(copies()[0]["trouble"].is_null()) << copies().dump(2);
  schedule.signal(SIGTERM);
  EXPECT_EQ(schedule.wait(10s), 0);
  EXPECT_EQ(read_file(path("schedule.log")).value_or("").find(kSecret), std::string::npos);
}

}  // namespace
}  // namespace rltune
