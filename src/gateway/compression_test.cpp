#include "compression.hpp"

#include <gmock/gmock.h>
#include <zlib.h>

#include "gateway_fixture.hpp"

namespace rltune::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kTakes = "Accept-Encoding: gzip, deflate, br";

// By zlib's reader of files, which knows nothing of how ours was written.
std::string unpacked(const TemporaryFolder& folder, const std::string& bytes) {
  const auto file = folder.path() / "answer.gz";
  if (!write_file(file, bytes)) return "it cannot be written";
  std::string text(16U << 20U, '\0');
  const gzFile opened = ::gzopen(file.c_str(), "rb");
  const int count = ::gzread(opened, text.data(), static_cast<unsigned>(text.size()));
  const bool plain = ::gzdirect(opened) != 0;
  if (::gzclose(opened) != Z_OK || count < 0 || plain) return "it is no gzip";
  text.resize(static_cast<std::size_t>(count));
  return text;
}

class CompressionTest : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    give(100);
  }
  void give(int samples) {
    recorded_samples_.clear_samples();
    for (int i = 0; i < samples; ++i) {
      v1::Sample& sample = *recorded_samples_.add_samples();
      sample.set_value(20.0 + 0.01 * i);
      sample.set_source_unix_ns(1'700'000'000'000'000'000 + i * 1'000'000'000LL);
    }
  }
  HttpAnswer samples(const std::string& headers) const {
    return call("GET /api/v1/tags/air/samples", viewer_, {}, headers);
  }
  std::string viewer_;
};

TEST_F(CompressionTest, an_answer_is_packed_for_who_takes_it_small_or_large) {
  viewer_ = token("viewer");
  for (const int count : {100, 9'000}) {
    give(count);
    const HttpAnswer plain = samples("Accept-Encoding: identity");
    ASSERT_EQ(plain.status, 200) << plain.body;
    EXPECT_EQ(header_of(plain, "Content-Encoding"), "");
    EXPECT_EQ(header_of(plain, "Vary"), "Accept-Encoding");
    // Not by call(), which shows bodies to the OpenAPI document.
    const HttpAnswer zipped =
        http_exchange(server_->port(),
                      std::string("GET /api/v1/tags/air/samples\nAuthorization: Bearer ") + viewer_ + "\r\n" + kTakes);
    EXPECT_EQ(header_of(zipped, "Content-Encoding"), "gzip");
    EXPECT_EQ(header_of(zipped, "Vary"), "Accept-Encoding");
    EXPECT_LT(zipped.body.size() * 3, plain.body.size());
    EXPECT_EQ(header_of(zipped, "Content-Length"), std::to_string(zipped.body.size()));
    EXPECT_EQ(unpacked(folder_, zipped.body), plain.body);
  }
}

TEST_F(CompressionTest, who_does_not_take_it_and_what_is_small_stays_plain) {
  viewer_ = token("viewer");
  for (const char* headers : {"", "Accept-Encoding: br", "Accept-Encoding: gzip;q=0"})
    EXPECT_EQ(header_of(samples(headers), "Content-Encoding"), "") << headers;
  give(1);
  const HttpAnswer small = samples(kTakes);
  EXPECT_LT(small.body.size(), kWorthPacking);
  EXPECT_EQ(header_of(small, "Content-Encoding"), "");
  EXPECT_EQ(header_of(small, "Vary"), "Accept-Encoding") << "the same address may be packed another time";
}

TEST_F(CompressionTest, what_holds_a_secret_beside_what_somebody_chose_is_never_packed) {
  EXPECT_THAT(
      call("POST /api/v1/auth/login", {}, json{{"user", "viewer"}, {"password", kPassword}}.dump(), kTakes).head,
      Not(HasSubstr("Content-Encoding")));
  for (const api::Operation& operation : api::operations()) {
    const bool of_signing_in =
        operation.path.starts_with("/api/v1/auth/") || operation.path.starts_with("/api/v1/account");
    const bool changes = operation.method != "GET";
    EXPECT_FALSE((of_signing_in || changes) && may_be_packed(operation)) << operation.id;
  }
}

TEST_F(CompressionTest, an_error_is_not_packed_as_it_shows_back_what_was_asked) {
  const std::string wrong = std::string("GET /api/v1/tags/air/samples?") + std::string(199, 'q') + "1=1";
  std::string many = wrong;
  for (int i = 0; i < 10; ++i) many += "&" + std::string(190, 'q') + std::to_string(i) + "=1";
  const HttpAnswer answer = call(many, token("viewer"), {}, kTakes);
  EXPECT_EQ(answer.status, 422);
  EXPECT_GT(answer.body.size(), kWorthPacking);
  EXPECT_EQ(header_of(answer, "Content-Encoding"), "");
}

TEST_F(CompressionTest, a_file_of_the_user_interface_has_an_etag_for_each_form) {
  const auto ui = folder_.path() / "ui";
  std::string script;
  for (int i = 0; i < 500; ++i) script += "export const name" + std::to_string(i) + " = 1;\n";
  ASSERT_TRUE(write_file(ui / "index.html", "<!doctype html>"));
  ASSERT_TRUE(write_file(ui / "app.js", script));
  ASSERT_TRUE(write_file(ui / "photo.png", script));
  auto files = UiFiles::load(ui);
  ASSERT_TRUE(files);
  start({.limits = kNoLimits}, std::move(*files));
  const auto get = [&](const std::string& path, const std::string& headers) {
    return http_exchange(server_->port(), "GET " + path + "\n" + headers);
  };
  const HttpAnswer zipped = get("/app.js", kTakes), plain = get("/app.js", "Accept-Encoding: br");
  EXPECT_EQ(header_of(zipped, "Content-Encoding"), "gzip");
  EXPECT_EQ(unpacked(folder_, zipped.body), script);
  EXPECT_EQ(plain.body, script);
  EXPECT_EQ(header_of(plain, "Vary"), "Accept-Encoding");
  EXPECT_NE(header_of(zipped, "ETag"), header_of(plain, "ETag"));
  EXPECT_EQ(get("/app.js", kTakes + ("\r\nIf-None-Match: " + header_of(zipped, "ETag"))).status, 304);
  EXPECT_EQ(get("/app.js", "If-None-Match: " + header_of(zipped, "ETag")).status, 200);
  EXPECT_EQ(header_of(get("/photo.png", kTakes), "Content-Encoding"), "") << "its format packs by itself";
}

}  // namespace
}  // namespace rltune::gateway
