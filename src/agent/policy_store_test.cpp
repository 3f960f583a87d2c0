#include "policy_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "rltune/base/file.hpp"
#include "sample_artifact.hpp"

namespace rltune::agent {
namespace {

class PolicyStoreTest : public testing::Test {
 protected:
  ~PolicyStoreTest() override { std::filesystem::remove_all(folder_); }

  static std::filesystem::path new_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "rltune-store-XXXXXX").string();
    return ::mkdtemp(name.data());
  }

  std::filesystem::path folder_ = new_folder();
  PolicyStore store_{folder_};
};

TEST_F(PolicyStoreTest, weights_are_found_by_their_content) {
  const auto onnx = nn::to_onnx(policy::sample_network(4, 2), "test");
  ASSERT_TRUE(onnx);
  const auto sha = store_.put(*onnx);
  ASSERT_TRUE(sha);
  const auto network = store_.get(*sha);
  ASSERT_TRUE(network) << network.error().message;
  EXPECT_EQ(network->layers[0].weight, policy::sample_network(4, 2).layers[0].weight);
  EXPECT_EQ(store_.put(*onnx).value_or(""), *sha);
}

TEST_F(PolicyStoreTest, damaged_weights_are_refused) {
  const auto sha = store_.put(*nn::to_onnx(policy::sample_network(4, 2), "test"));
  ASSERT_TRUE(sha) << sha.error().message;
  auto stored = read_file(folder_ / (*sha + ".onnx"));
  ASSERT_TRUE(stored) << stored.error().message;
  std::string bytes = *stored;
  bytes[bytes.size() / 2] ^= 1;
  ASSERT_TRUE(write_file(folder_ / (*sha + ".onnx"), bytes));
  const auto damaged = store_.get(*sha), missing = store_.get("missing");
  ASSERT_TRUE(!damaged && !missing);
  EXPECT_EQ(damaged.error().code, Errc::corrupt);
  EXPECT_EQ(store_.get(*sha).error().code, Errc::not_found) << "put aside";
  EXPECT_TRUE(std::filesystem::exists(folder_ / (*sha + ".lost")));
  EXPECT_EQ(missing.error().code, Errc::not_found);
  // Put again, they are mended.
  ASSERT_TRUE(store_.put(*nn::to_onnx(policy::sample_network(4, 2), "test")));
  EXPECT_TRUE(store_.get(*sha));
}

TEST_F(PolicyStoreTest, of_a_damaged_policy_the_copy_that_was_last_whole_acts) {
  policy::Artifact artifact = policy::sample_artifact();
  const auto site = folder_ / "site";
  ASSERT_TRUE(policy::save_artifact(site, artifact));
  ASSERT_TRUE(store_.load("climate", site));
  for (const char* name : {"policy.onnx", "manifest.yaml"}) {
    const std::string whole = read_file(site / name).value();
    std::string bytes = whole;
    for (std::size_t i = bytes.size() / 2; i < bytes.size(); ++i) bytes[i] ^= 0x55;
    ASSERT_TRUE(write_file(site / name, bytes));
    const auto loaded = store_.load("climate", site);
    ASSERT_TRUE(loaded) << name << loaded.error().message;
    EXPECT_EQ(loaded->sha256, artifact.sha256);
    EXPECT_FALSE(store_.load("light", site)) << "nobody kept a copy for that one";
    EXPECT_EQ(read_file(site / name).value(), bytes) << "the site's own files are a person's";
    ASSERT_TRUE(write_file(site / name, whole));
  }
  EXPECT_FALSE(store_.load("climate", folder_ / "elsewhere")) << "a wrong path is told, not guessed";
}

TEST_F(PolicyStoreTest, what_acts_is_remembered_for_its_artifact_alone) {
  EXPECT_FALSE(store_.active("climate", "artifact"));
  ASSERT_TRUE(store_.set_active("climate", "artifact", "learnt"));
  EXPECT_EQ(store_.active("climate", "artifact").value_or(""), "learnt");
  EXPECT_FALSE(store_.active("climate", "another artifact"));
  EXPECT_FALSE(store_.active("light", "artifact"));
}

}  // namespace
}  // namespace rltune::agent
