#include "open_paths.hpp"

#include <gmock/gmock.h>

#include "gateway_fixture.hpp"
#include "heard_lines.hpp"

namespace rltune::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class UiTest : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    put("index.html", "<!doctype html><title>site</title>");
    put("favicon.svg", "<svg/>");
    put("assets/index-BfA3x9_Q.js", "run();");
    put("assets/style.css", "body{}");
    put(".secret.js", "hidden");
    put(".git/config.json", "hidden");
    put("keys.pem", "hidden");
    put("notes", "hidden");
    ASSERT_TRUE(write_file(folder_.path() / "outside.js", "outside"));
    std::filesystem::create_symlink(folder_.path() / "outside.js", ui_ / "link.js");
    std::filesystem::create_directory_symlink(folder_.path(), ui_ / "out");
    auto loaded = UiFiles::load(ui_);
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(loaded->count(), 4U);
    start({.limits = kNoLimits}, std::move(*loaded));
  }
  void put(const std::string& path, const std::string& text) { ASSERT_TRUE(write_file(ui_ / path, text)); }
  HttpAnswer get(const std::string& path, const std::string& headers = {}, const std::string& method = "GET") const {
    return http_exchange(server_->port(), method + " " + path + (headers.empty() ? "" : "\n" + headers));
  }

  std::filesystem::path ui_ = folder_.path() / "ui";
};

TEST_F(UiTest, a_file_comes_with_its_type_and_the_headers_that_keep_a_page_to_itself) {
  const HttpAnswer page = get("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, "<!doctype html><title>site</title>");
  EXPECT_EQ(header_of(page, "Content-Type"), "text/html; charset=utf-8");
  for (const char* part : {"default-src 'self'", "base-uri 'none'", "frame-ancestors 'none'", "object-src 'none'"})
    EXPECT_THAT(header_of(page, "Content-Security-Policy"), HasSubstr(part));
  EXPECT_THAT(header_of(page, "Content-Security-Policy"), Not(HasSubstr("unsafe")));
  EXPECT_EQ(header_of(page, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(header_of(page, "Referrer-Policy"), "no-referrer");
  EXPECT_EQ(header_of(page, "Cross-Origin-Opener-Policy"), "same-origin");
  EXPECT_EQ(header_of(get("/assets/index-BfA3x9_Q.js"), "Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(header_of(get("/favicon.svg"), "Content-Type"), "image/svg+xml");
}

TEST_F(UiTest, what_is_named_by_its_content_is_kept_for_ever_and_the_rest_is_asked_for_again) {
  EXPECT_EQ(header_of(get("/assets/index-BfA3x9_Q.js"), "Cache-Control"), "public, max-age=31536000, immutable");
  for (const char* path : {"/", "/index.html", "/assets/style.css"}) {
    const HttpAnswer first = get(path);
    EXPECT_EQ(header_of(first, "Cache-Control"), "no-cache") << path;
    const std::string etag = header_of(first, "ETag");
    ASSERT_TRUE(etag.starts_with('"') && etag.size() > 20) << etag;
    for (const std::string& known : {etag, "W/" + etag, "\"other\", " + etag, std::string("*")}) {
      const HttpAnswer again = get(path, "If-None-Match: " + known);
      EXPECT_EQ(again.status, 304) << known;
      EXPECT_EQ(again.body, "");
      EXPECT_EQ(header_of(again, "ETag"), etag);
      EXPECT_EQ(header_of(again, "Cache-Control"), "no-cache");
    }
    EXPECT_EQ(get(path, "If-None-Match: \"other\"").status, 200);
  }
}

TEST_F(UiTest, every_page_is_index_html_and_a_file_that_is_missing_is_none) {
  for (const char* path : {"/agents", "/agents/climate", "/plant/", "/index.html?a=1", "/agents?x=y.js"}) {
    EXPECT_EQ(get(path).body, get("/").body) << path;
  }
  for (const char* path : {"/missing.js", "/assets/gone-12345678.css", "/agents/a.b"})
    EXPECT_EQ(get(path).status, 404) << path;
}

TEST_F(UiTest, the_api_never_falls_into_it) {
  for (const char* path : {"/api", "/api/", "/api/v1", "/api/v1/nothing", "/.well-known/nothing", "/.well-known",
                           "/%61pi/v1/nothing", "//api/v1/nothing"}) {
    const HttpAnswer answer = get(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_THAT(header_of(answer, "Content-Type"), HasSubstr("application/problem+json")) << path;
  }
}

TEST_F(UiTest, nothing_else_on_the_host_can_be_reached) {
  for (const char* path : {"/../outside.js", "/assets/../../outside.js", "/%2e%2e/outside.js", "/..%2foutside.js",
                           "/link.js", "/out/outside.js", "/.secret.js", "/.git/config.json", "/keys.pem",
                           "/assets%2f..%2f..%2foutside.js", "//outside.js", "/assets//style.css"}) {
    const HttpAnswer answer = get(path);
    EXPECT_TRUE(answer.status == 404 || answer.status == 400) << path << answer.status;
    EXPECT_THAT(answer.body, Not(HasSubstr("outside"))) << path;
    EXPECT_THAT(answer.body, Not(HasSubstr("hidden"))) << path;
  }
}

TEST_F(UiTest, files_are_for_get_and_head_alone) {
  const HttpAnswer head = get("/", {}, "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(header_of(head, "Content-Length"), std::to_string(get("/").body.size()));
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
    const HttpAnswer refused = get("/", {}, method);
    EXPECT_EQ(refused.status, 405) << method;
    EXPECT_EQ(header_of(refused, "Allow"), "GET, HEAD") << method;
  }
}

TEST_F(UiTest, without_files_there_is_none) {
  start({.limits = kNoLimits});
  EXPECT_EQ(get("/").status, 404);
  EXPECT_EQ(UiFiles::load(folder_.path() / "nothing").error().code, Errc::io);
  std::filesystem::remove(ui_ / "index.html");
  EXPECT_EQ(UiFiles::load(ui_).error().code, Errc::not_found);
  EXPECT_FALSE(load_ui("..", ui_)) << "it holds the folder of the site";
  EXPECT_FALSE(load_ui({}, folder_.path())) << "beside this program are none";
}

TEST_F(UiTest, every_request_is_one_line_of_the_log_whose_path_is_bounded) {
  log::HeardLines lines("request");
  get("/api/v1/" + std::string(3000, 'x'));
  lines.first(1);
  get("/api/v1/roles", {}, "DELETE");
  lines.first(2);
  get("/", "X-Correlation-Id: mine");
  const auto heard = lines.first(3);
  ASSERT_EQ(heard.size(), 3U);
  EXPECT_EQ(heard[0].at("operation"), "none");
  EXPECT_EQ(heard[0].at("status"), "404");
  EXPECT_EQ(heard[0].at("request"), ("GET /api/v1/" + std::string(3000, 'x')).substr(0, 200));
  EXPECT_EQ(heard[1].at("request"), "DELETE /api/v1/roles");
  EXPECT_EQ(heard[1].at("status"), "405");
  EXPECT_EQ(heard[2].at("operation"), "ui");
  EXPECT_EQ(heard[2].at("correlation_id"), "mine");
}

TEST(UiNames, a_hash_in_the_folder_of_assets_names_the_content) {
  for (const char* path : {"/assets/index-BfA3x9_Q.js", "/assets/main.3f2a9c1e77.css", "/assets/x-B-fA3x9Q1.js",
                           "/assets/fonts/inter-D1xK2b3c.woff2"})
    EXPECT_TRUE(names_its_content(path)) << path;
  for (const char* path : {"/index-BfA3x9_Q.js", "/assets/style.css", "/assets/my-component.js", "/assets/a-1.2.js",
                           "/assets/the-document.js"})
    EXPECT_FALSE(names_its_content(path)) << path;
}

}  // namespace
}  // namespace rltune::gateway
