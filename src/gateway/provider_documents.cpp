#include "provider_documents.hpp"

#include <algorithm>
#include <format>

namespace rltune::gateway {
namespace {

constexpr std::size_t kUrlMax = 1'000, kKeysMax = 64;

Result<api::Json> object_in(std::string_view text, std::string_view what) {
  if (text.size() > kProviderBytesMax) return fail(Errc::parse, std::format("the provider's {} is too long", what));
  auto tree = api::parse_strictly(text);
  if (!tree || !tree->is_object()) return fail(Errc::parse, std::format("the provider's {} is no JSON object", what));
  return std::move(*tree);
}

// It becomes a header in answers of ours.
Result<std::string> url_in(const api::Json& object, const char* name) {
  const auto found = object.find(name);
  std::string url = found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
  const bool printable = std::ranges::all_of(url, [](unsigned char c) { return c > ' ' && c < 0x7f && c != '#'; });
  if (!url.starts_with("https://") || url.size() > kUrlMax || !printable)
    return fail(Errc::parse, std::format("the provider's {} is no URL of https", name));
  return url;
}

bool has(const api::Json& object, const char* name, std::string_view word) {
  const auto found = object.find(name);
  return found != object.end() && found->is_array() && std::ranges::contains(*found, api::Json(word));
}

}  // namespace

Result<ProviderEndpoints> read_discovery(std::string_view text, std::string_view issuer) {
  const auto object = object_in(text, "description of itself");
  if (!object) return std::unexpected(object.error());
  if (object->value("issuer", api::Json()) != api::Json(issuer))
    return fail(Errc::mismatch,
                std::format("the provider's issuer is another than {}, which users.yaml names", issuer));
  ProviderEndpoints endpoints;
  for (const auto& [name, url] : {std::pair{"authorization_endpoint", &endpoints.authorization},
                                  {"token_endpoint", &endpoints.token},
                                  {"jwks_uri", &endpoints.keys}}) {
    auto read = url_in(*object, name);
    if (!read) return std::unexpected(read.error());
    *url = std::move(*read);
  }
  constexpr const char* kMethods = "token_endpoint_auth_methods_supported";
  endpoints.secret_in_body =
      has(*object, kMethods, "client_secret_post") && !has(*object, kMethods, "client_secret_basic");
  endpoints.names_issuer =
      object->value("authorization_response_iss_parameter_supported", api::Json()) == api::Json(true);
  return endpoints;
}

Result<std::vector<Jwk>> read_key_set(std::string_view text) {
  const auto object = object_in(text, "key set");
  if (!object) return std::unexpected(object.error());
  const auto keys = object->find("keys");
  if (keys == object->end() || !keys->is_array() || keys->size() > kKeysMax)
    return fail(Errc::parse, "the provider's key set has no list of at most 64 keys");
  std::vector<Jwk> read;
  for (const api::Json& key : *keys)
    if (auto jwk = Jwk::read(key)) read.push_back(std::move(*jwk));
  if (read.empty()) return fail(Errc::not_found, "the provider has no key for RS256, ES256 or EdDSA");
  return read;
}

Result<std::string> read_id_token(std::string_view text) {
  const auto object = object_in(text, "answer");
  if (!object) return std::unexpected(object.error());
  const auto token = object->find("id_token");
  if (token == object->end() || !token->is_string())
    return fail(Errc::parse, "the provider's answer holds no id_token; is 'openid' among the scopes?");
  return token->get<std::string>();
}

}  // namespace rltune::gateway
