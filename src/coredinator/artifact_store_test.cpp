#include "artifact_store.hpp"

#include <gtest/gtest.h>

#include "rltune/base/file.hpp"
#include "scratch_folder.hpp"

namespace rltune::coredinator {
namespace {

class ArtifactStoreTest : public testing::Test {
 protected:
  std::filesystem::path artifact(const std::string& name, const std::string& graph) const {
    EXPECT_TRUE(write_file(folder_.path() / name / "manifest.yaml", "name: " + name));
    EXPECT_TRUE(write_file(folder_.path() / name / "policy.onnx", graph));
    return folder_.path() / name;
  }
  historian::ScratchFolder folder_;
  ArtifactStore store_{folder_.path() / "artifacts"};
};

TEST_F(ArtifactStoreTest, what_is_taken_is_whole_and_lies_under_its_content) {
  const auto hash = store_.take(artifact("a", "graph"));
  ASSERT_TRUE(hash) << hash.error().message;
  EXPECT_EQ(read_file(store_.path_of(*hash) / "policy.onnx").value_or(""), "graph");
  EXPECT_TRUE(store_.verify(*hash));
  EXPECT_EQ(store_.take(artifact("a", "graph")).value_or(""), *hash) << "the same contents have one place";
  EXPECT_NE(store_.take(artifact("a", "other")).value_or(*hash), *hash);
}

TEST_F(ArtifactStoreTest, damage_shows_and_is_mended_by_the_same_artifact) {
  const auto hash = store_.take(artifact("a", "graph"));
  ASSERT_TRUE(hash);
  ASSERT_TRUE(write_file(store_.path_of(*hash) / "policy.onnx", "gr4ph"));
  const auto damaged = store_.verify(*hash);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, Errc::corrupt);
  EXPECT_EQ(store_.take(artifact("a", "graph")).value_or(""), *hash);
  EXPECT_TRUE(store_.verify(*hash));
}

TEST_F(ArtifactStoreTest, what_is_no_artifact_is_refused) {
  EXPECT_EQ(store_.take(folder_.path() / "nowhere").error().code, Errc::not_found);
  const auto nested = artifact("nested", "graph");
  std::filesystem::create_directories(nested / "inner");
  EXPECT_EQ(store_.take(nested).error().code, Errc::invalid_argument);
  const auto linked = artifact("linked", "graph");
  std::filesystem::create_symlink("/etc/passwd", linked / "secret");
  EXPECT_EQ(store_.take(linked).error().code, Errc::invalid_argument) << "a link leads out of the folder";
}

TEST_F(ArtifactStoreTest, a_sweep_removes_what_nobody_names) {
  const auto kept = store_.take(artifact("a", "graph")), orphan = store_.take(artifact("b", "graph"));
  ASSERT_TRUE(kept && orphan);
  ASSERT_TRUE(write_file(folder_.path() / "artifacts" / ".unfinished-x" / "policy.onnx", "gra"));
  store_.sweep({*kept});
  EXPECT_TRUE(store_.verify(*kept));
  EXPECT_FALSE(std::filesystem::exists(store_.path_of(*orphan)));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "artifacts" / ".unfinished-x"));
}

}  // namespace
}  // namespace rltune::coredinator
