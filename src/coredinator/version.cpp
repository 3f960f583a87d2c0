#include "version.hpp"

#include <algorithm>
#include <array>

namespace rltune::coredinator {
namespace {

constexpr std::array<std::string_view, 8> kWords{"staged", "validating", "shadow",  "canary",
                                                 "active", "standby",    "retired", "rolled_back"};
constexpr std::size_t kVersionBytesMax = 64;

bool digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-'; }

bool number(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 9 && std::ranges::all_of(text, digit) && (text.size() == 1 || text[0] != '0');
}

bool identifiers(std::string_view text) noexcept {
  while (true) {
    const std::size_t end = text.find('.');
    const std::string_view one = text.substr(0, end);
    if (one.empty() || !std::ranges::all_of(one, [](char c) { return digit(c) || letter(c); })) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

const char* to_string(VersionState state) noexcept { return kWords[static_cast<std::size_t>(state)].data(); }

std::optional<VersionState> parse_state(std::string_view word) noexcept {
  const auto found = std::ranges::find(kWords, word);
  if (found == kWords.end()) return std::nullopt;
  return static_cast<VersionState>(found - kWords.begin());
}

const Version* AgentRecord::find(std::string_view version) const noexcept {
  const auto found = std::ranges::find(versions, version, &Version::version);
  return found == versions.end() ? nullptr : &*found;
}

const Version* AgentRecord::in_state(VersionState state) const noexcept {
  const auto found = std::ranges::find(versions, state, &Version::state);
  return found == versions.end() ? nullptr : &*found;
}

const Version* AgentRecord::candidate() const noexcept {
  const auto found = std::ranges::find_if(versions, [](const Version& version) { return in_test(version.state); });
  return found == versions.end() ? nullptr : &*found;
}

bool is_semantic(std::string_view version) noexcept {
  if (version.size() > kVersionBytesMax) return false;
  if (const std::size_t plus = version.find('+'); plus != std::string_view::npos) {
    if (!identifiers(version.substr(plus + 1))) return false;
    version = version.substr(0, plus);
  }
  if (const std::size_t minus = version.find('-'); minus != std::string_view::npos) {
    if (!identifiers(version.substr(minus + 1))) return false;
    version = version.substr(0, minus);
  }
  const std::size_t first = version.find('.');
  if (first == std::string_view::npos) return false;
  const std::size_t second = version.find('.', first + 1);
  return second != std::string_view::npos && number(version.substr(0, first)) &&
         number(version.substr(first + 1, second - first - 1)) && number(version.substr(second + 1));
}

std::string instance_of(const std::string& agent, const Version& version) {
  return version.artifact_sha256.empty() ? agent : agent + "@" + version.version;
}

}  // namespace rltune::coredinator
