#include "rltune/audit/entry.hpp"

#include <sodium.h>

#include <format>
#include <nlohmann/json.hpp>

#include "rltune/base/check.hpp"
#include "words.hpp"

namespace rltune::audit {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kTextBytesMax = 4096;
constexpr std::size_t kHashDigits = 64;
constexpr std::string_view kBeforeHash = R"(,"hash":")";
constexpr std::string_view kAfterHash = R"("})";

std::string cut(const std::string& text) { return bounded(text, kTextBytesMax); }

std::string body_of(const Line& line, bool with_details) {
  const Entry& entry = line.entry;
  ordered_json object{{"seq", line.sequence},
                      {"time", format_rfc3339(entry.time)},
                      {"actor", cut(entry.actor)},
                      {"action", cut(entry.action)},
                      {"target", cut(entry.target)},
                      {"reason", cut(entry.reason)},
                      {"correlation", cut(entry.correlation_id)}};
  ordered_json& details = object["details"] = ordered_json::object();
  if (with_details)
    for (const auto& [name, value] : entry.details) details[cut(name)] = cut(value);
  else
    details["omitted"] = std::to_string(entry.details.size());
  object["previous"] = line.previous;
  std::string text = object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  text.pop_back();  // the hash stands before the brace
  return text;
}

bool is_hash(std::string_view text) {
  return text.size() == kHashDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::unexpected<Error> malformed(std::string_view why) {
  return fail(Errc::parse, std::format("it is no line of an audit log: {}", why));
}

constexpr const char* kKeys[] = {"seq",    "time",        "actor",   "action",  "target",
                                 "reason", "correlation", "details", "previous"};

bool has_the_keys(const ordered_json& object) {
  if (!object.is_object() || object.size() != std::size(kKeys)) return false;
  std::size_t i = 0;
  for (const auto& [key, value] : object.items())
    if (key != kKeys[i++]) return false;
  for (const char* key : {"time", "actor", "action", "target", "reason", "correlation", "previous"})
    if (!object[key].is_string()) return false;
  if (!object["seq"].is_number_unsigned() || !object["details"].is_object()) return false;
  for (const auto& [key, value] : object["details"].items())
    if (!value.is_string()) return false;
  return true;
}

}  // namespace

std::string blake2b(std::string_view bytes) {
  static_assert(kHashDigits == 2 * crypto_generichash_BYTES);
  unsigned char hash[crypto_generichash_BYTES];
  const int done = crypto_generichash(hash, sizeof hash, reinterpret_cast<const unsigned char*>(bytes.data()),
                                      bytes.size(), nullptr, 0);
  RLTUNE_CHECK(done == 0);
  std::string text(2 * sizeof hash + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), hash, sizeof hash);
  text.pop_back();
  return text;
}

std::string first_link(std::string_view role) { return blake2b(std::format("rltune/audit/v1 {}", role)); }

std::string encode(Line& line) {
  std::string body = body_of(line, true);
  if (body.size() + kBeforeHash.size() + kHashDigits + kAfterHash.size() > kLineBytesMax) body = body_of(line, false);
  line.hash = blake2b(body);
  return std::format("{}{}{}{}\n", body, kBeforeHash, line.hash, kAfterHash);
}

Result<Line> decode(std::string_view bytes) {
  constexpr std::size_t kTail = kBeforeHash.size() + kHashDigits + kAfterHash.size();
  if (bytes.size() > kLineBytesMax) return malformed("it is too long");
  if (bytes.size() <= kTail || !bytes.ends_with(kAfterHash)) return malformed("it does not end in its hash");
  const std::string_view body = bytes.substr(0, bytes.size() - kTail);
  const std::string_view hash = bytes.substr(body.size() + kBeforeHash.size(), kHashDigits);
  if (bytes.substr(body.size(), kBeforeHash.size()) != kBeforeHash || !is_hash(hash))
    return malformed("it does not end in its hash");
  if (blake2b(body) != hash) return fail(Errc::corrupt, "its hash is not that of its content");
  const auto object = ordered_json::parse(std::string(body) + "}", nullptr, false);
  if (object.is_discarded() || !has_the_keys(object)) return malformed("other keys or another order");
  const auto time = parse_rfc3339(object["time"].get_ref<const std::string&>());
  if (!time) return malformed(time.error().message);
  Line line;
  line.sequence = object["seq"];
  line.entry = {.time = *time,
                .actor = object["actor"],
                .action = object["action"],
                .target = object["target"],
                .reason = object["reason"],
                .correlation_id = object["correlation"],
                .details = {}};
  for (const auto& [key, value] : object["details"].items()) line.entry.details.emplace_back(key, value);
  line.previous = object["previous"];
  line.hash = hash;
  return line;
}

}  // namespace rltune::audit
