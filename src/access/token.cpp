#include "rltune/access/token.hpp"

#include <format>
#include <nlohmann/json.hpp>
#include <optional>

#include "rltune/access/base64url.hpp"
#include "rltune/access/compact_jws.hpp"
#include "rltune/base/check.hpp"

namespace rltune::access {
namespace {

using nlohmann::json;

std::int64_t seconds_of(TimePoint time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

std::unexpected<Error> refuse(std::string why) { return fail(Errc::denied, std::move(why)); }

// An object without two members of one name: whoever else reads it must read the same.
std::optional<json> object_of(std::string_view base64url) {
  const auto text = from_base64url(base64url);
  if (!text) return std::nullopt;
  std::vector<std::string> names;
  bool twice = false;
  const auto once = [&](int depth, json::parse_event_t event, json& parsed) {
    if (event != json::parse_event_t::key || depth != 1) return true;
    const std::string name = parsed;
    twice = twice || std::ranges::contains(names, name);
    names.push_back(name);
    return true;
  };
  json object = json::parse(*text, once, false);
  if (!object.is_object() || twice) return std::nullopt;
  return object;
}

std::string key_id_of(const json& header) {
  const bool ours = header.size() == 3 && header.value("alg", json()) == "EdDSA" &&
                    header.value("typ", json()) == "at+jwt" && header.value("kid", json()).is_string();
  return ours ? header["kid"].get<std::string>() : std::string();
}

std::optional<std::string> text_in(const json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

// Seconds since 1970, until the year 9999.
std::optional<TimePoint> time_in(const json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end() || !found->is_number_integer()) return std::nullopt;
  const auto seconds = found->get<std::int64_t>();
  if (seconds < 0 || seconds > 9'000'000'000) return std::nullopt;
  return TimePoint(std::chrono::seconds(seconds));
}

std::optional<Claims> claims_of(const json& object) {
  Claims claims;
  for (const auto& [name, field] : {std::pair{"iss", &claims.issuer},
                                    {"sub", &claims.subject},
                                    {"aud", &claims.audience},
                                    {"jti", &claims.id},
                                    {"sid", &claims.session},
                                    {"role", &claims.role}}) {
    auto text = text_in(object, name);
    if (!text) return std::nullopt;
    *field = std::move(*text);
  }
  const auto issued = time_in(object, "iat"), expires = time_in(object, "exp");
  if (!issued || !expires) return std::nullopt;
  claims.issued = *issued;
  claims.expires = *expires;
  return claims;
}

}  // namespace

std::string make_token(const Claims& claims, const KeyRing& keys) {
  const json body{{"iss", claims.issuer},
                  {"sub", claims.subject},
                  {"aud", claims.audience},
                  {"jti", claims.id},
                  {"sid", claims.session},
                  {"role", claims.role},
                  {"iat", seconds_of(claims.issued)},
                  {"exp", seconds_of(claims.expires)}};
  const std::string payload = to_base64url(body.dump(-1, ' ', true, json::error_handler_t::replace));
  const auto made = keys.sign([&](const std::string& key_id) {
    return to_base64url(json{{"alg", "EdDSA"}, {"typ", "at+jwt"}, {"kid", key_id}}.dump()) + "." + payload;
  });
  std::string token = made.message + "." + to_base64url(made.signature);
  RLTUNE_CHECK(token.size() <= kTokenBytesMax);
  return token;
}

Result<Claims> verify_token(std::string_view token, const KeyRing& keys, const Expected& expected, TimePoint now) {
  if (token.size() > kTokenBytesMax) return refuse("it is too long");
  const auto parts = split_jws(token);
  if (!parts) return refuse("it has not three parts");
  const auto header = object_of(parts->header);
  const std::string key_id = header ? key_id_of(*header) : std::string();
  if (key_id.empty()) return refuse("its header is not that of our tokens");
  const auto signature = from_base64url(parts->signature);
  if (!signature || !keys.verify(key_id, parts->signed_text, *signature)) return refuse("no key of ours has signed it");
  const auto object = object_of(parts->payload);
  auto claims = object ? claims_of(*object) : std::nullopt;
  if (!claims) return refuse("its claims are not those of our tokens");
  if (claims->issuer != expected.issuer) return refuse("another has issued it");
  if (claims->audience != expected.audience) return refuse("it is for another");
  if (claims->issued > now + expected.leeway) return refuse("it was issued in the future: is a clock wrong?");
  if (claims->expires <= now - expected.leeway) return refuse("it has ended");
  return std::move(*claims);
}

}  // namespace rltune::access
