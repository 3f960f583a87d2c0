#include "rltune/upgrade/bundle.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "program.hpp"
#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::upgrade {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

class BundleTest : public ::testing::Test {
 protected:
  BundleTest() {
    key_ = *make_key(path("builder"));
    put("bin/rltune", "#!/bin/sh\necho rltune 0.2.0\n", true);
    put("bin/rltune-up", std::string(600, 'u'), true);
    put("lib/libodd.so.1", std::string(512, 'l'), true);
    put("share/doc/operations.md", "# Operations\n", false);
    put("share/empty", "", false);
  }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  void put(const std::string& name, const std::string& bytes, bool program) const {
    ASSERT_TRUE(write_file(path("stage/" + name), bytes));
    ::chmod(path("stage/" + name).c_str(), program ? 0755 : 0644);
  }
  Manifest about() const {
    return {.version = "0.2.0",
            .architecture = own_architecture(),
            .created = "2026-01-02T03:04:05Z",
            .formats = own_formats()};
  }
  Result<Manifest> make(const Manifest& manifest) const {
    return pack(path("stage"), manifest, *audit::SigningKey::of_seed(read_file(path("builder"))->substr(0, 64)),
                file());
  }
  std::string file() const { return path("rltune.bundle"); }
  Result<> take() const {
    const auto bundle = open_bundle(file(), trusted());
    if (!bundle) return std::unexpected(bundle.error());
    return verify(*bundle);
  }
  std::vector<std::string> trusted() const { return {std::string(64, 'a'), key_}; }

  TemporaryFolder folder_;
  std::string key_;
};

TEST_F(BundleTest, what_was_packed_comes_out) {
  ASSERT_TRUE(make(about()));
  const auto bundle = open_bundle(file(), trusted());
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_EQ(bundle->manifest.version, "0.2.0");
  EXPECT_EQ(bundle->manifest.formats, own_formats());
  ASSERT_TRUE(unpack(*bundle, path("unpacked/0.2.0")));
  for (const BundleFile& member : bundle->manifest.files) {
    EXPECT_EQ(*read_file(path("unpacked/0.2.0/" + member.path)), *read_file(path("stage/" + member.path)));
    EXPECT_EQ(fs::status(path("unpacked/0.2.0/" + member.path)).permissions(),
              fs::status(path("stage/" + member.path)).permissions());
  }
  EXPECT_TRUE(verify_unpacked(path("unpacked/0.2.0"), trusted()));
  EXPECT_EQ(unpack(*bundle, path("unpacked/0.2.0")).error().code, Errc::io) << "it is there already";
  ASSERT_TRUE(write_file(path("unpacked/0.2.0/lib/libodd.so.1"), "other"));
  EXPECT_EQ(verify_unpacked(path("unpacked/0.2.0"), trusted()).error().code, Errc::corrupt);
}

// All of them: one by a bit, the next by all eight.
TEST_F(BundleTest, every_changed_byte_is_refused) {
  ASSERT_TRUE(make(about()));
  ASSERT_TRUE(take());
  const std::string good = *read_file(file());
  std::string bytes = good;
  for (std::size_t at = 0; at < good.size(); ++at) {
    bytes[at] = static_cast<char>(good[at] ^ (at % 2 == 0 ? 0x01 : 0xFF));
    std::ofstream(file(), std::ios::binary) << bytes;
    ASSERT_FALSE(take()) << "byte " << at << " of " << good.size();
    bytes[at] = good[at];
  }
}

TEST_F(BundleTest, every_cut_and_every_addition_is_refused) {
  ASSERT_TRUE(make(about()));
  const std::string good = *read_file(file());
  for (std::size_t size = 0; size < good.size(); size += 37) {
    std::ofstream(file(), std::ios::binary) << good.substr(0, size);
    ASSERT_FALSE(take()) << size << " of " << good.size() << " bytes";
  }
  for (const std::size_t more : {1, 511, 512, 10'240}) {
    std::ofstream(file(), std::ios::binary) << good << std::string(more, '\0');
    EXPECT_FALSE(take()) << more << " bytes more";
  }
}

TEST_F(BundleTest, who_signed_it_has_to_be_trusted) {
  ASSERT_TRUE(make(about()));
  const auto foreign = open_bundle(file(), {});
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code, Errc::denied);
  EXPECT_THAT(foreign.error().message, HasSubstr(key_));
}

// A thief of no key writes the trusted one's name into the manifest and signs with another.
TEST_F(BundleTest, the_name_of_a_key_is_no_signature) {
  ASSERT_TRUE(make(about()));
  std::string bytes = *read_file(file());
  const auto other = make_key(path("other"));
  for (std::size_t at = bytes.find(key_); at != std::string::npos; at = bytes.find(key_, at + 1))
    bytes.replace(at, key_.size(), *other);
  ASSERT_TRUE(write_file(file(), bytes));
  const std::vector<std::string> keys{*other};
  EXPECT_EQ(open_bundle(file(), keys).error().code, Errc::denied);
}

TEST_F(BundleTest, another_architecture_is_refused) {
  Manifest foreign = about();
  foreign.architecture = own_architecture() == "arm64" ? "amd64" : "arm64";
  ASSERT_TRUE(make(foreign));
  EXPECT_EQ(take().error().code, Errc::unsupported);
}

TEST_F(BundleTest, what_a_bundle_may_not_hold_is_not_packed) {
  put("etc/passwd", "root", false);
  EXPECT_EQ(make(about()).error().code, Errc::invalid_argument);
  fs::remove_all(path("stage/etc"));
  put("share/a b", "blank", false);
  EXPECT_EQ(make(about()).error().code, Errc::invalid_argument);
  fs::remove(path("stage/share/a b"));
  fs::create_symlink("/etc/passwd", path("stage/share/link"));
  EXPECT_EQ(make(about()).error().code, Errc::invalid_argument);
  fs::remove(path("stage/share/link"));
  fs::remove(path("stage/bin/rltune-up"));
  EXPECT_EQ(make(about()).error().code, Errc::invalid_argument);
}

TEST_F(BundleTest, a_key_is_not_overwritten) {
  EXPECT_EQ(make_key(path("builder")).error().code, Errc::invalid_argument);
}

// Independent readers: GNU tar, and OpenSSL with the commands of docs/formats/bundle.md.
TEST_F(BundleTest, others_open_it_and_verify_its_signature) {
  ASSERT_TRUE(make(about()));
  fs::create_directories(path("tar"));
  const std::string script =
      "cd " + path("tar") + " && tar xf " + file() + " && cmp lib/libodd.so.1 " + path("stage/lib/libodd.so.1") +
      R"( && perl -ne 'chomp; print pack "H*", $_' manifest.sig >signature)" +
      R"( && perl -ne 'chomp; print pack "H*", "302a300506032b6570032100$_"' )" + path("builder.pub") +
      " >builder.der" +
      " && openssl pkeyutl -verify -pubin -keyform DER -inkey builder.der -rawin -in manifest.json -sigfile signature";
  const auto ended = run_program({"/bin/sh", "-c", script}, 20s);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->status, 0) << ended->output;
  EXPECT_THAT(ended->output, HasSubstr("Signature Verified Successfully"));
}

class ManifestPaths : public ::testing::TestWithParam<const char*> {};

TEST_P(ManifestPaths, that_lead_elsewhere_are_refused) {
  Manifest manifest{.version = "1", .architecture = "amd64", .key = std::string(64, '0')};
  for (const char* path : {"bin/rltune", "bin/rltune-up"})
    manifest.files.push_back({path, true, 1, std::string(64, '0')});
  ASSERT_TRUE(decode_manifest(encode(manifest)));
  manifest.files.push_back({GetParam(), false, 1, std::string(64, '0')});
  EXPECT_FALSE(decode_manifest(encode(manifest)));
}

INSTANTIATE_TEST_SUITE_P(All, ManifestPaths,
                         ::testing::Values("", "/etc/passwd", "../bin/sh", "bin/../../x", "bin//x", "bin/", "bin/.",
                                           "lib/./x", "other/x", "bin", "bin/rltune", "bin/rltune/x", "share/a\nb",
                                           "share/a\\b", "manifest.json"));

class ManifestTexts : public ::testing::TestWithParam<const char*> {};

TEST_P(ManifestTexts, that_are_none_are_refused) { EXPECT_FALSE(decode_manifest(GetParam())); }

INSTANTIATE_TEST_SUITE_P(All, ManifestTexts,
                         ::testing::Values("", "{", "[]", "null", "{}", R"({"schema":"rltune/bundle/v2"})",
                                           R"({"schema":"rltune/bundle/v1","version":1,"architecture":"a","created":"",
                                              "key":"","formats":{},"files":[]})"));

}  // namespace
}  // namespace rltune::upgrade
