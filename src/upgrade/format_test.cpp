#include "rltune/upgrade/format.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <format>

#include "rltune/base/file.hpp"
#include "rltune/historian/decision_log.hpp"
#include "rltune/historian/historian.hpp"
#include "rltune/sqlite/sqlite.hpp"
#include "temporary_folder.hpp"

namespace rltune::upgrade {
namespace {

using ::testing::HasSubstr;

class FormatTest : public ::testing::Test {
 protected:
  FormatTest() {
    EXPECT_TRUE(write_file(site(), "# a comment\nschema: rltune/site/v2\nname: north\n"));
    EXPECT_TRUE(write_file(path("site/alerts.yaml"), "schema: rltune/alerts/v1\n"));
  }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string site() const { return path("site/site.yaml"); }
  // A database as a version with this format left it.
  void database(const std::string& name, int format) const {
    std::filesystem::create_directories(std::filesystem::path(path("site/data/" + name)).parent_path());
    const auto open = sqlite::open_writer(path("site/data/" + name), 1 << 20);
    sqlite::create_tables(*open, "CREATE TABLE IF NOT EXISTS t(x)", format);
  }
  std::map<std::string, std::vector<int>> present() const {
    std::map<std::string, std::vector<int>> found;
    const auto formats = formats_of_site(site());
    EXPECT_TRUE(formats) << (formats ? "" : formats.error().message);
    if (formats)
      for (const Present& data : *formats) found[data.name].push_back(data.version);
    return found;
  }
  TemporaryFolder folder_;
};

TEST_F(FormatTest, what_a_site_has_is_found) {
  database("decisions/decisions-2026-01-01.db", 2);
  database("decisions/decisions-2026-01-02.db", 3);
  database("decisions/decisions-2026-01-03.db", 3);
  database("raw-00000001.db", 1);
  database("registry.db", 4);
  ASSERT_TRUE(write_file(path("site/data/other.db"), "no database"));
  auto found = present();
  std::ranges::sort(found["decision-log"]);
  EXPECT_EQ(found,
            (std::map<std::string, std::vector<int>>{
                {"site", {2}}, {"alerts", {1}}, {"decision-log", {2, 3}}, {"historian", {1}}, {"registry", {4}}}));
}

TEST_F(FormatTest, a_schema_of_the_future_is_found_as_well) {
  ASSERT_TRUE(write_file(site(), "schema: rltune/site/v17\nwhat: ever\n"));
  EXPECT_EQ(present()["site"], std::vector<int>{17});
}

TEST_F(FormatTest, a_damaged_database_is_an_error) {
  ASSERT_TRUE(write_file(path("site/data/decisions/decisions-2026-01-01.db"), std::string(5000, 'x')));
  EXPECT_FALSE(formats_of_site(site()));
}

// The stores say in their files what the table says of them.
TEST_F(FormatTest, our_own_stores_have_our_own_formats) {
  {
    auto log = historian::DecisionLog::open(path("site/data/decisions"));
    ASSERT_TRUE(log);
    historian::Decision decision;
    decision.id = "one";
    decision.time = decision.wall_time = TimePoint(std::chrono::hours(1));
    ASSERT_TRUE(log->append(decision));
    ASSERT_TRUE(log->flush());
  }
  const std::vector<Format> formats = own_formats();
  const auto log = std::ranges::find(formats, "decision-log", &Format::name);
  ASSERT_NE(log, formats.end());
  EXPECT_EQ(present()["decision-log"], std::vector<int>{log->writes});
  const auto data = formats_of_site(site());
  ASSERT_TRUE(data);
  EXPECT_TRUE(can_read(formats, "this", *data));
}

TEST(FormatRules, data_that_a_version_does_not_read_keep_it_out) {
  const std::vector<Format> formats{{"log", 2, 3, 3}};
  EXPECT_TRUE(can_read(formats, "0.2.0", {}));
  EXPECT_TRUE(can_read(formats, "0.2.0", std::vector<Present>{{"log", 2, "a"}, {"log", 3, "b"}}));
  for (const int version : {1, 4}) {
    const auto refused = can_read(formats, "0.2.0", std::vector<Present>{{"log", version, "/data/log.db"}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unsupported);
    EXPECT_THAT(refused.error().message, HasSubstr(std::format("/data/log.db is log of format {}", version)));
  }
  EXPECT_FALSE(can_read(formats, "0.2.0", std::vector<Present>{{"other", 1, "c"}}));
}

TEST(FormatRules, a_version_whose_data_the_current_one_cannot_read_has_no_way_back) {
  const std::vector<Format> now{{"log", 1, 3, 3}, {"site", 1, 2, 0}};
  EXPECT_TRUE(has_way_back(now, "0.2.0", now, "0.1.0"));
  EXPECT_TRUE(has_way_back(std::vector<Format>{{"log", 1, 4, 3}, {"site", 1, 3, 0}}, "0.2.0", now, "0.1.0"));
  const auto refused = has_way_back(std::vector<Format>{{"log", 1, 4, 4}}, "0.2.0", now, "0.1.0");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("0.2.0 writes log of format 4, which 0.1.0 does not read"));
  EXPECT_FALSE(has_way_back(std::vector<Format>{{"new", 1, 1, 1}}, "0.2.0", now, "0.1.0"));
  EXPECT_TRUE(has_way_back(std::vector<Format>{{"new", 1, 1, 0}}, "0.2.0", now, "0.1.0"));
}

}  // namespace
}  // namespace rltune::upgrade
