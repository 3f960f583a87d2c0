#include "rltune/config/secret.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <ranges>
#include <span>
#include <utility>

namespace rltune::config {
namespace {

constexpr std::array<std::string_view, 10> kSecretNames{"password",    "passphrase", "secret",      "token",
                                                        "routing_key", "pin",        "private_key", "api_key",
                                                        "credential",  "signing_key"};
constexpr std::array<std::string_view, 8> kTokenStarts{"ghp_",  "gho_",  "github_pat_", "glpat-",
                                                       "xoxb-", "xoxp-", "sk-",         "npm_"};
constexpr std::array<std::string_view, 7> kHashStarts{"$argon2", "$2a$", "$2b$", "$2y$", "$5$", "$6$", "$y$"};
constexpr std::size_t kTokenLength = 20;
constexpr std::string_view kRedacted = "[redacted]";

bool is_word(unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; }

bool starts_with_any(std::string_view text, std::span<const std::string_view> starts) {
  return std::ranges::any_of(starts, [&](std::string_view start) { return text.starts_with(start); });
}

bool is_web_token(std::string_view text) {
  return text.starts_with("eyJ") && text.size() > 2 * kTokenLength && std::ranges::count(text, '.') == 2 &&
         std::ranges::all_of(text, [](unsigned char c) { return is_word(c) || c == '.'; });
}

bool is_access_key(std::string_view text) {
  return text.size() == kTokenLength && (text.starts_with("AKIA") || text.starts_with("ASIA")) &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isupper(c) != 0 || std::isdigit(c) != 0; });
}

// "https://user:password@host"
bool has_credentials(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view rest = text.substr(scheme + 3);
  return rest.substr(0, rest.find_first_of("/ ")).find('@') != std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() &&
         (std::isspace(static_cast<unsigned char>(text.front())) != 0 || text.front() == '"' || text.front() == '\''))
    text.remove_prefix(1);
  while (!text.empty() && (std::isspace(static_cast<unsigned char>(text.back())) != 0 || text.back() == '"' ||
                           text.back() == '\'' || text.back() == ','))
    text.remove_suffix(1);
  return text;
}

// The name before the first colon, without the list's dash or a diff's sign.
std::string_view name_of(std::string_view line) {
  std::string_view name = line.substr(0, line.find(':'));
  while (!name.empty() && std::string_view(" \t-+{\"'").find(name.front()) != std::string_view::npos)
    name.remove_prefix(1);
  return trimmed(name);
}

bool holds_secret(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos && is_secret_name(name_of(line)) && !trimmed(line.substr(colon + 1)).empty())
    return true;
  for (const auto part : std::views::split(line, ' '))
    if (!secret_in(trimmed(std::string_view(part))).empty()) return true;
  return !secret_in(line).empty();
}

}  // namespace

std::string_view secret_in(std::string_view text) {
  if (text.find("PRIVATE KEY-----") != std::string_view::npos) return "a private key";
  if (is_web_token(text)) return "a signed token";
  if (is_access_key(text)) return "an access key";
  if (text.size() >= kTokenLength && starts_with_any(text, kTokenStarts) && std::ranges::all_of(text, is_word))
    return "an access token";
  if (text.size() >= kTokenLength && starts_with_any(text, kHashStarts)) return "a password's hash";
  if (has_credentials(text)) return "a user or a password";
  return {};
}

bool is_secret_name(std::string_view name) {
  return std::ranges::any_of(kSecretNames, [&](std::string_view secret) {
    return name == secret ||
           (name.size() > secret.size() && name.ends_with(secret) &&
            (name[name.size() - secret.size() - 1] == '_' || name[name.size() - secret.size() - 1] == '-'));
  });
}

std::string redact(std::string_view text) {
  std::string out;
  bool first = true, in_key = false;
  for (const auto part : std::views::split(text, '\n')) {
    const std::string_view line(part);
    const bool begins = line.find("-----BEGIN ") != std::string_view::npos;
    in_key = in_key || (begins && line.find("PRIVATE KEY") != std::string_view::npos);
    if (!std::exchange(first, false)) out += '\n';
    if (in_key || holds_secret(line)) {
      const std::size_t colon = line.find(':');
      const bool named = !in_key && colon != std::string_view::npos && secret_in(name_of(line)).empty();
      out += named ? std::string(line.substr(0, colon + 1)) + " " : std::string();
      out += kRedacted;
    } else {
      out += line;
    }
    if (line.find("-----END ") != std::string_view::npos) in_key = false;
  }
  return out;
}

}  // namespace rltune::config
