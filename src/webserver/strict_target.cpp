// The target of a request line and the Host beside it.
#include <algorithm>
#include <charconv>

#include "lower.hpp"
#include "strictness.hpp"
#include "target.hpp"

namespace rltune::webserver {
namespace {

constexpr std::size_t kNpos = std::string_view::npos;

bool is_name(char one) {
  return (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z') || (one >= '0' && one <= '9') ||
         std::string_view("-._~").contains(one);
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return text.empty() || (error == std::errc() && stopped == text.data() + text.size() && port < 65'536);
}

bool alike(std::string_view one, std::string_view other) { return lower(one) == lower(other); }

// Browsers send { } | \ ^ ` in queries as they are, which nothing can take for another; in a path they must be encoded.
bool is_visible(std::string_view text, std::string_view but) {
  return std::ranges::all_of(text, [&](char one) { return one > ' ' && one < '\x7f' && !but.contains(one); });
}

// A path with . or .. in it means another path to whoever resolves it, and to whoever does not.
bool has_dots(std::string_view path) {
  for (std::size_t from = 0; from <= path.size();) {
    const std::size_t end = std::min(path.find_first_of("/\\", from), path.size());
    const std::string_view segment = path.substr(from, end - from);
    if (segment == "." || segment == "..") return true;
    from = end + 1;
  }
  return false;
}

std::optional<Fault> fault_of_path(std::string_view text) {
  const std::string_view path = text.substr(0, text.find('?'));
  const std::string_view query = text.substr(path.size());
  if (!is_visible(path, "#\"<>\\^`{|}") || !is_visible(query, "#\"<>"))
    return Fault{400, "the target holds a character that must be encoded"};
  const auto decoded = decode_percent(path);
  if (!decoded || !decode_percent(query))
    return Fault{400, "a % in the target is not followed by two hexadecimal digits, or stands for a zero byte"};
  if (has_dots(*decoded)) return Fault{400, "the path must not hold . or .. as a part"};
  return std::nullopt;
}

}  // namespace

bool is_host(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == kNpos || end < 3) return false;
    const std::string_view rest = text.substr(end + 1);
    return text.substr(1, end - 1).find_first_not_of("0123456789abcdefABCDEF:.") == kNpos &&
           (rest.empty() || (rest.starts_with(':') && is_port(rest.substr(1))));
  }
  const std::string_view name = text.substr(0, text.find(':'));
  return !name.empty() && std::ranges::all_of(name, is_name) &&
         (name.size() == text.size() || is_port(text.substr(name.size() + 1)));
}

std::optional<Fault> fault_of_target(std::string_view method, std::string_view target, std::string_view host) {
  if (method == "CONNECT") return Fault{501, "this is no proxy"};
  if (target == "*") return method == "OPTIONS" ? std::nullopt : std::optional(Fault{400, "* is a target of OPTIONS"});
  if (target.starts_with('/')) return fault_of_path(target);
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!alike(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    const std::string_view authority = target.substr(0, target.find_first_of("/?"));
    if (!is_host(authority)) return Fault{400, "the target's host is no name and port"};
    if (!host.empty() && !alike(authority, host)) return Fault{400, "the target names another host than Host does"};
    return fault_of_path(target.substr(authority.size()));
  }
  return Fault{400, "the target is no path"};
}

}  // namespace rltune::webserver
