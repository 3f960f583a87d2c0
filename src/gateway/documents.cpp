#include "documents.hpp"

#include <openssl/evp.h>

#include <array>
#include <format>

#include "compression.hpp"
#include "rltune/api/documents.hpp"
#include "rltune/api/operation.hpp"
#include "rltune/base/check.hpp"

namespace rltune::gateway {
namespace {

// 'sha256-...' of Content Security Policy.
std::string hash_source(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  RLTUNE_CHECK(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  std::array<unsigned char, 2UZ * EVP_MAX_MD_SIZE> encoded{};
  const int length = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(size));
  return std::format("'sha256-{}'", std::string(encoded.begin(), encoded.begin() + length));
}

webserver::Route served(std::string path, webserver::Response answer) {
  KeptBody body(std::exchange(answer.body, {}), true);
  return {"GET", std::move(path),
          [answer = std::move(answer), body = std::move(body)](const webserver::Request& request,
                                                               const webserver::Reply& reply) {
            webserver::Response response = answer;
            body.put(request, response);
            reply(std::move(response));
          }};
}

}  // namespace

std::vector<webserver::Route> document_routes(std::string_view version) {
  auto [html, style] = api::reference_page(version);
  const std::string policy =
      std::format("default-src 'none'; style-src {}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                  hash_source(style));
  return {served("/api/v1/openapi.json",
                 {.body = api::openapi(version),
                  .headers = {{"Cache-Control", "max-age=300"}, {"X-Content-Type-Options", "nosniff"}}}),
          served("/api/v1/docs", {.body = std::move(html),
                                  .type = "text/html; charset=utf-8",
                                  .headers = {{"Cache-Control", "max-age=300"},
                                              {"Content-Security-Policy", policy},
                                              {"Referrer-Policy", "no-referrer"},
                                              {"X-Content-Type-Options", "nosniff"}}})};
}

}  // namespace rltune::gateway
