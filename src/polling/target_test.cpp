#include "rltune/polling/target.hpp"

#include <gtest/gtest.h>

#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::polling {
namespace {

TEST(Targets, of_a_run_folder_are_its_roles_with_their_labels) {
  const TemporaryFolder folder;
  EXPECT_EQ(read_targets(folder.path()).error().code, Errc::not_found);
  ASSERT_TRUE(write_file(folder.path() / "targets.json",
                         R"([{"targets": ["127.0.0.1:41001"], "labels": {"site": "pilot", "role": "io"}},
                             {"targets": ["[::1]:41002", "host-2.plant:9464"]}])"));
  const auto targets = read_targets(folder.path());
  ASSERT_TRUE(targets) << targets.error().message;
  EXPECT_EQ(*targets,
            (std::vector<Target>{
                {"http://127.0.0.1:41001/metrics",
                 {{"job", "rltune"}, {"instance", "127.0.0.1:41001"}, {"site", "pilot"}, {"role", "io"}}},
                {"http://[::1]:41002/metrics", {{"job", "rltune"}, {"instance", "[::1]:41002"}}},
                {"http://host-2.plant:9464/metrics", {{"job", "rltune"}, {"instance", "host-2.plant:9464"}}}}));
}

TEST(Targets, that_would_be_another_url_or_label_are_refused) {
  for (const char* json :
       {"", "{}", "[1]", R"([{"labels": {}}])", R"([{"targets": "a:1"}])", R"([{"targets": ["a"]}])",
        R"([{"targets": ["a:1/x"]}])", R"([{"targets": ["user@a:1"]}])", R"([{"targets": ["a:1?x"]}])",
        R"([{"targets": ["a:1"], "labels": {"__scheme__": "https"}}])",
        R"([{"targets": ["a:1"], "labels": {"a-b": ""}}])", R"([{"targets": ["a:1"], "labels": {"a": 1}}])",
        R"([{"targets": ["a:1"], "labels": []}])"}) {
    const auto targets = parse_targets(json);
    ASSERT_FALSE(targets) << json;
    EXPECT_EQ(targets.error().code, Errc::parse);
  }
}

TEST(Targets, of_telemetry_yaml_are_told_by_their_names) {
  config::Polling polling;
  polling.targets = {{"node", "https://10.0.0.7:9100/metrics?x=1"}};
  EXPECT_EQ(targets_of(polling, "pilot"),
            (std::vector<Target>{
                {"https://10.0.0.7:9100/metrics?x=1", {{"job", "node"}, {"instance", "node"}, {"site", "pilot"}}}}));
}

}  // namespace
}  // namespace rltune::polling
