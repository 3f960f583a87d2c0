#include "id_token.hpp"

#include <algorithm>
#include <format>

#include "rltune/access/base64url.hpp"
#include "rltune/access/compact_jws.hpp"

namespace rltune::gateway {
namespace {

constexpr std::size_t kUserMax = 64;
constexpr double kSecondsMax = 9e9;  // the year 2255

std::unexpected<Error> not_believed(std::string why) { return fail(Errc::denied, "the id_token " + std::move(why)); }

std::optional<api::Json> object_of(std::string_view text) {
  auto tree = api::parse_strictly(text);
  if (!tree || !tree->is_object()) return std::nullopt;
  return std::move(*tree);
}

bool is_text(const api::Json& object, const char* name, std::string_view text) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() && found->get_ref<const std::string&>() == text;
}

std::optional<TimePoint> time_in(const api::Json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end() || !found->is_number()) return std::nullopt;
  const auto seconds = found->get<double>();
  if (!(seconds >= 0.0 && seconds <= kSecondsMax)) return std::nullopt;
  return TimePoint(from_seconds(seconds));
}

// One audience, ours; where there are several, the one that asked is us.
bool is_for(const api::Json& claims, const std::string& client_id) {
  const auto audience = claims.find("aud");
  if (audience == claims.end()) return false;
  const bool list = audience->is_array();
  if (list ? !std::ranges::contains(*audience, api::Json(client_id)) : *audience != api::Json(client_id)) return false;
  if (claims.contains("azp")) return is_text(claims, "azp", client_id);
  return !list || audience->size() == 1;
}

Result<> check_times(const api::Json& claims, const IdTokenExpected& expected, TimePoint now) {
  const auto expires = time_in(claims, "exp"), issued = time_in(claims, "iat");
  if (!expires || !issued) return not_believed("does not say when it was issued and when it ends");
  if (*expires <= now - expected.leeway) return not_believed("has ended");
  if (*issued > now + expected.leeway) return not_believed("was issued in the future: is a clock wrong?");
  const auto begins = time_in(claims, "nbf");
  if (claims.contains("nbf") && (!begins || *begins > now + expected.leeway)) return not_believed("is not good yet");
  return {};
}

// How the provider has signed the user in: it says so, or it is not enough.
Result<> check_strength(const api::Json& claims, const IdTokenExpected& expected) {
  const auto is_acr = [&claims](const std::string& word) { return is_text(claims, "acr", word.c_str()); };
  if (!expected.required_acr.empty() && std::ranges::none_of(expected.required_acr, is_acr))
    return not_believed("says nothing of a sign-in as strong as required_acr wants it (acr)");
  const auto methods = claims.find("amr");
  for (const std::string& word : expected.required_amr)
    if (methods == claims.end() || !methods->is_array() || !std::ranges::contains(*methods, api::Json(word)))
      return not_believed(std::format("does not say that '{}' was used, as required_amr wants it (amr)", word));
  return {};
}

Result<> check_signature(const access::CompactJws& parts, std::span<const Jwk> keys) {
  const auto header_text = access::from_base64url(parts.header);
  const auto header = header_text ? object_of(*header_text) : std::nullopt;
  if (!header || header->contains("crit")) return not_believed("has no header that we know");
  const auto algorithm = parse_algorithm(
      header->value("alg", api::Json()).is_string() ? (*header)["alg"].get_ref<const std::string&>() : std::string());
  if (!algorithm) return not_believed("is signed by another algorithm than RS256, ES256 and EdDSA, or not at all");
  const bool named = header->contains("kid");
  std::vector<Jwk> fitting;
  for (const Jwk& key : keys)
    if (key.algorithm() == *algorithm && (!named || is_text(*header, "kid", key.id()))) fitting.push_back(key);
  if (fitting.empty())
    return fail(Errc::not_found, "the id_token is signed with a key that the provider does not show");
  if (!named && fitting.size() > 1) return not_believed("does not say which of several keys has signed it");
  const auto signature = access::from_base64url(parts.signature);
  const bool good = signature && std::ranges::any_of(fitting, [&](const Jwk& key) {
                      return key.verify(parts.signed_text, *signature);
                    });
  if (!good) return not_believed("has a wrong signature");
  return {};
}

}  // namespace

Result<std::string> user_in_claims(std::string_view json, const IdTokenExpected& expected, TimePoint now) {
  const auto claims = object_of(json);
  if (!claims) return not_believed("holds no claims");
  if (!is_text(*claims, "iss", expected.issuer)) return not_believed("was issued by another");
  if (!is_for(*claims, expected.client_id)) return not_believed("is for another");
  if (auto good = check_times(*claims, expected, now); !good) return std::unexpected(good.error());
  if (!is_text(*claims, "nonce", expected.nonce)) return not_believed("is of another attempt to sign in");
  if (auto strong = check_strength(*claims, expected); !strong) return std::unexpected(strong.error());
  const auto user = claims->find(expected.user_claim);
  if (user == claims->end() || !user->is_string() || user->get_ref<const std::string&>().empty() ||
      user->get_ref<const std::string&>().size() > kUserMax)
    return not_believed(std::format("holds no name in the claim {}", expected.user_claim));
  // Whoever may write any address into a profile could else be anybody.
  if (expected.user_claim == "email" && claims->value("email_verified", api::Json(true)) != api::Json(true))
    return not_believed("holds an address that the provider has not verified");
  return user->get<std::string>();
}

Result<std::string> verify_id_token(std::string_view token, std::span<const Jwk> keys, const IdTokenExpected& expected,
                                    TimePoint now) {
  if (token.size() > kIdTokenBytesMax) return not_believed("is too long");
  const auto parts = access::split_jws(token);
  if (!parts) return not_believed("has not three parts");
  if (auto good = check_signature(*parts, keys); !good) return std::unexpected(good.error());
  const auto claims = access::from_base64url(parts->payload);
  if (!claims) return not_believed("holds no claims");
  return user_in_claims(*claims, expected, now);
}

}  // namespace rltune::gateway
