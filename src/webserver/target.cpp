#include "target.hpp"

#include <algorithm>
#include <charconv>

namespace rltune::webserver {
namespace {

std::string_view without_authority(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (text.starts_with(scheme)) {
      text.remove_prefix(scheme.size());
      const std::size_t path = text.find_first_of("/?");
      return path == std::string_view::npos ? "/" : text.substr(path);
    }
  return text;
}

// A form's encoding, where + is a space.
std::optional<std::string> decode_form(std::string text) {
  std::ranges::replace(text, '+', ' ');
  return decode_percent(text);
}

}  // namespace

std::optional<std::string> decode_percent(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    unsigned char byte = 0;
    const char* const end = text.data() + i + 3;
    const auto [stopped, error] = std::from_chars(text.data() + i + 1, end, byte, 16);
    if (error != std::errc() || stopped != end || byte == 0) return std::nullopt;
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

Result<Target> parse_target(std::string_view text) {
  text = without_authority(text);
  if (!text.starts_with('/')) return fail(Errc::parse, "the target is no path");
  if (std::ranges::any_of(text, [](unsigned char byte) { return byte <= ' ' || byte == 0x7F; }))
    return fail(Errc::parse, "the target holds a control byte");
  text = text.substr(0, text.find('#'));
  const std::size_t mark = text.find('?');
  Target target{.path = text.substr(0, mark), .query = {}, .twice = {}};
  std::string_view rest = mark == std::string_view::npos ? std::string_view() : text.substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto name = decode_form(std::string(pair.substr(0, equals)));
    auto value = decode_form(std::string(pair.substr(std::min(equals + 1, pair.size()))));
    if (!name || !value) return fail(Errc::parse, "a % in the query is not followed by two hexadecimal digits");
    if (name->empty()) continue;
    const auto [at, added] = target.query.emplace(std::move(*name), std::move(*value));
    if (!added) target.twice.push_back(at->first);
  }
  return target;
}

}  // namespace rltune::webserver
