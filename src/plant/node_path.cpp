#include "node_path.hpp"

#include <charconv>
#include <format>

namespace rltune::plant {
namespace {

std::unexpected<Error> bad(std::string_view text, std::string_view why) {
  return fail(Errc::parse, std::format("node '{}': {}; write it as nsu=urn:example:plant;s=Temperature", text, why));
}

// "%3B" and "%25" back to ";" and "%"; other escapes stay: they belong to the URI.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto escape = text.substr(i, 3);
    if (escape == "%3B" || escape == "%3b")
      out += ';', i += 2;
    else if (escape == "%25")
      out += '%', i += 2;
    else
      out += text[i];
  }
  return out;
}

std::optional<std::uint32_t> parse_index(std::string_view digits) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || digits.empty()) return std::nullopt;
  return value;
}

bool is_field_name(std::string_view name) {
  return !name.empty() && name.find_first_of(".[];=") == std::string_view::npos;
}

// "[3].Range.Low" -> element and fields; false when the text is no such suffix.
bool parse_suffix(std::string_view text, NodePath& path) {
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return false;
    path.element = parse_index(text.substr(1, close - 1));
    if (!path.element) return false;
    text.remove_prefix(close + 1);
  }
  while (!text.empty()) {
    if (!text.starts_with('.')) return false;
    text.remove_prefix(1);
    const auto end = std::min(text.find('.'), text.size());
    if (!is_field_name(text.substr(0, end))) return false;
    path.fields.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return true;
}

std::optional<NodePath::Kind> kind_of(char letter) {
  switch (letter) {
    case 'i':
      return NodePath::Kind::numeric;
    case 's':
      return NodePath::Kind::string;
    case 'g':
      return NodePath::Kind::guid;
    case 'b':
      return NodePath::Kind::opaque;
    default:
      return std::nullopt;
  }
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

bool is_guid(std::string_view text) {
  constexpr std::array kGroups{8u, 4u, 4u, 4u, 12u};
  for (std::size_t group = 0; group < kGroups.size(); ++group) {
    if (text.size() < kGroups[group] || !is_hex(text.substr(0, kGroups[group]))) return false;
    text.remove_prefix(kGroups[group]);
    if (group + 1 == kGroups.size()) return text.empty();
    if (!text.starts_with('-')) return false;
    text.remove_prefix(1);
  }
  return false;
}

bool is_identifier(NodePath::Kind kind, std::string_view text) {
  switch (kind) {
    case NodePath::Kind::numeric:
      return parse_index(text).has_value();
    case NodePath::Kind::guid:
      return is_guid(text);
    default:
      return !text.empty();
  }
}

// Where "i=", "s=", "g=" or "b=" starts: at the front, or after the namespace.
std::size_t find_identifier(std::string_view text) {
  for (std::size_t at = text.find(';'); at != std::string_view::npos; at = text.find(';', at + 1))
    if (text.size() > at + 2 && text[at + 2] == '=' && kind_of(text[at + 1])) return at + 1;
  return std::string_view::npos;
}

constexpr std::size_t kLongestText = 4096;

}  // namespace

Result<std::vector<NodePath>> parse_node_path(std::string_view text) {
  if (text.size() > kLongestText) return bad(text.substr(0, 40), "longer than 4096 characters");
  NodePath base;
  std::string_view rest = text;
  if (rest.starts_with("ns="))
    return bad(text, "a namespace index changes when the server restarts; use the namespace's URI");
  if (rest.starts_with("nsu=")) {
    const auto at = find_identifier(rest);
    if (at == std::string_view::npos) return bad(text, "no identifier (;s=, ;i=, ;g= or ;b=) follows the namespace");
    base.namespace_uri = unescape(rest.substr(4, at - 5));
    if (base.namespace_uri.empty()) return bad(text, "the namespace URI is empty");
    rest.remove_prefix(at);
  }
  const auto kind = rest.size() > 2 && rest[1] == '=' ? kind_of(rest[0]) : std::nullopt;
  if (!kind) return bad(text, "it does not say which kind of identifier it is");
  base.kind = *kind;
  rest.remove_prefix(2);

  // Every place where the rest could be a suffix, from the end to the front.
  std::vector<NodePath> readings;
  for (std::size_t length = rest.size(); length > 0; --length) {
    const auto suffix = rest.substr(length);
    if (!suffix.empty() && suffix[0] != '[' && suffix[0] != '.') continue;
    NodePath reading = base;
    reading.identifier = rest.substr(0, length);
    if (is_identifier(reading.kind, reading.identifier) && parse_suffix(suffix, reading))
      readings.push_back(std::move(reading));
  }
  if (readings.empty()) return bad(text, "the identifier does not fit its kind");
  return readings;
}

std::string format_node_path(const NodePath& path) {
  std::string text;
  if (!path.namespace_uri.empty()) {
    text = "nsu=";
    for (char c : path.namespace_uri) text += c == ';' ? "%3B" : c == '%' ? "%25" : std::string(1, c);
    text += ';';
  }
  text += std::string_view("isgb")[static_cast<std::size_t>(path.kind)];
  text += '=' + path.identifier;
  if (path.element) text += std::format("[{}]", *path.element);
  for (const auto& field : path.fields) text += '.' + field;
  return text;
}

}  // namespace rltune::plant
