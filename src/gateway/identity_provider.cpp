#include "identity_provider.hpp"

#include <openssl/evp.h>

#include <cstdlib>
#include <format>

#include "rltune/base/secret.hpp"
#include "rltune/http/url.hpp"

namespace rltune::gateway {
namespace {

using namespace std::chrono_literals;

using Fields = std::vector<std::pair<std::string_view, std::string>>;

std::string form_of(const Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields)
    text += std::format("{}{}={}", text.empty() ? "" : "&", name, http::percent_encoded(value));
  return text;
}

Result<std::string> client_secret(const config::OAuth& oauth) {
  std::optional<std::string> secret;
  if (!oauth.client_secret_env.empty()) {
    if (const char* value = std::getenv(oauth.client_secret_env.c_str()); value != nullptr) secret = value;
  } else {
    auto read = read_secret_file(oauth.client_secret_file);
    if (!read) return std::unexpected(read.error());
    secret = std::move(*read);
  }
  if (!secret || secret->empty())
    return fail(Errc::not_found, std::format("the client's secret is not in {}", oauth.client_secret_env.empty()
                                                                                     ? oauth.client_secret_file.string()
                                                                                     : oauth.client_secret_env));
  return std::move(*secret);
}

// RFC 6749, 2.3.1: encoded as in a form before it is put into base64.
std::string basic(const std::string& id, const std::string& secret) {
  const std::string pair = http::percent_encoded(id) + ":" + http::percent_encoded(secret);
  std::string text(4 * ((pair.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(pair.data()), static_cast<int>(pair.size()));
  text.resize(static_cast<std::size_t>(size));
  return "Basic " + text;
}

}  // namespace

IdentityProvider::IdentityProvider(config::OAuth oauth, std::string callback, const Clock& clock)
    : oauth_(std::move(oauth)),
      callback_(std::move(callback)),
      client_({.ca_file = oauth_.ca_file, .connect_timeout = 3s, .timeout = 5s, .answer_bytes_max = kProviderBytesMax}),
      known_(oauth_.issuer, [this](const std::string& url) { return fetch(url); }, clock) {}

// No answer says nothing of the user: that is never `denied`.
Result<http::Response> IdentityProvider::send(const http::Request& request) {
  auto answer = client_.send(request);
  if (!answer) return fail(Errc::disconnected, answer.error().message);
  return answer;
}

Result<std::string> IdentityProvider::fetch(const std::string& url) {
  auto answer = send({.method = "GET", .url = url, .headers = {{"Accept", "application/json"}}});
  if (!answer) return std::unexpected(answer.error());
  if (answer->status != 200) return fail(Errc::disconnected, std::format("{} answers {}", url, answer->status));
  return std::move(answer->body);
}

Result<std::string> IdentityProvider::url_for(const Attempt& attempt) {
  const auto endpoints = known_.endpoints();
  if (!endpoints) return std::unexpected(endpoints.error());
  Fields fields{{"response_type", "code"},         {"client_id", oauth_.client_id},
                {"redirect_uri", callback_},       {"scope", oauth_.scopes},
                {"state", attempt.state},          {"nonce", attempt.nonce},
                {"code_challenge_method", "S256"}, {"code_challenge", attempt.challenge()}};
  std::string wanted;
  for (const std::string& acr : oauth_.required_acr) wanted += (wanted.empty() ? "" : " ") + acr;
  if (!wanted.empty()) fields.emplace_back("acr_values", wanted);
  return endpoints->authorization + (endpoints->authorization.contains('?') ? "&" : "?") + form_of(fields);
}

// The code against an id_token.
Result<std::string> IdentityProvider::change(const ProviderEndpoints& endpoints, const std::string& code,
                                             const Attempt& attempt) {
  const auto secret = client_secret(oauth_);
  if (!secret) return std::unexpected(secret.error());
  Fields fields{{"grant_type", "authorization_code"},
                {"code", code},
                {"redirect_uri", callback_},
                {"code_verifier", attempt.verifier}};
  http::Request request{
      .url = endpoints.token,
      .headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}}};
  if (endpoints.secret_in_body) {
    fields.emplace_back("client_id", oauth_.client_id);
    fields.emplace_back("client_secret", *secret);
  } else {
    request.headers.push_back({"Authorization", basic(oauth_.client_id, *secret)});
  }
  request.body = form_of(fields);
  const auto answer = send(request);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status == 400) return fail(Errc::denied, "the provider does not take the code");
  if (answer->status != 200)
    return fail(Errc::disconnected, std::format("{} answers {}", endpoints.token, answer->status));
  return read_id_token(answer->body);
}

Result<std::string> IdentityProvider::user_of(const std::string& code, const std::string& issuer,
                                              const Attempt& attempt) {
  const auto endpoints = known_.endpoints();
  if (!endpoints) return std::unexpected(endpoints.error());
  if (issuer.empty() ? endpoints->names_issuer : issuer != oauth_.issuer)
    return fail(Errc::denied, "the answer comes from another provider than it should");
  const auto token = change(*endpoints, code, attempt);
  if (!token) return std::unexpected(token.error());
  auto user = known_.verify(*token, {.issuer = oauth_.issuer,
                                     .client_id = oauth_.client_id,
                                     .nonce = attempt.nonce,
                                     .user_claim = oauth_.user_claim,
                                     .required_acr = oauth_.required_acr,
                                     .required_amr = oauth_.required_amr});
  if (!user && user.error().code == Errc::not_found) return fail(Errc::denied, user.error().message);
  return user;
}

}  // namespace rltune::gateway
