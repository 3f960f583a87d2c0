#include "host_paths.hpp"

#include <gtest/gtest.h>

#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::gateway {
namespace {

// A host with these folders.
class HostPathsTest : public ::testing::Test {
 protected:
  const std::filesystem::path& root() const {
    for (const char* name : {"home", "var", "tmp"}) std::filesystem::create_directories(root_.path() / name);
    return root_.path();
  }
  TemporaryFolder root_;
  const HostPaths paths_{"/srv/plants/north", root()};
};

TEST_F(HostPathsTest, what_lies_in_the_sites_folder_is_told_from_there) {
  EXPECT_EQ(paths_.hidden("no key at /srv/plants/north/secrets/backup.key: make one"),
            "no key at secrets/backup.key: make one");
  EXPECT_EQ(paths_.hidden("/srv/plants/north/site.yaml"), "site.yaml");
  EXPECT_EQ(paths_.hidden("/srv/plants/north//var/x:/tmp/y"), ".../y") << "two that look like one";
}

TEST_F(HostPathsTest, of_other_files_the_name_alone_is_told) {
  EXPECT_EQ(paths_.hidden("cannot read \"/home/ada/plans/north.yaml\" (no such file)"),
            "cannot read \".../north.yaml\" (no such file)");
  EXPECT_EQ(paths_.hidden("of /var/lib/rltune/."), "of .../rltune.") << "a sentence may end behind it";
  EXPECT_EQ(paths_.hidden("file:///tmp/one,/tmp/two/three"), "file://.../one,.../three");
  EXPECT_EQ(paths_.hidden("/srv/plants/north/"), ".../north");
  EXPECT_EQ(paths_.hidden("/srv/plants/northern/x"), ".../x");
}

TEST_F(HostPathsTest, everything_else_stays) {
  for (const char* text : {"", "/", "//", "GET /api/v1/logs", "opc.tcp://127.0.0.1:4840/var/x", "W/m2 and 3/4", "/home",
                           "a/var/b", "../tmp/b", "runs/var/x"})
    EXPECT_EQ(paths_.hidden(text), text);
}

}  // namespace
}  // namespace rltune::gateway
