#include "rltune/historian/decision_words.hpp"

#include <array>
#include <format>

namespace rltune::historian {
namespace {

constexpr std::array kModes{"manual", "shadow", "advisory", "automatic"};
constexpr std::array kActions{"accepted", "clamped", "held", "fallback", "withheld"};
constexpr std::array kReasons{
    "limit_low",       "limit_high",    "rate",      "not_finite",  "minimum_on_time", "minimum_off_time",
    "starts_per_hour", "interlock",     "bad_input", "stale_input", "agent_lost",      "mode",
    "not_owner",       "dcs_took_over", "link_down", "late",        "policy_fault",    "budget"};

template <std::size_t count>
std::string word_of(const std::array<const char*, count>& words, std::size_t code) {
  return code < count ? words[code] : std::format("code {}", code);
}

}  // namespace

std::string mode_word(std::uint8_t mode) { return word_of(kModes, mode); }

std::string action_word(std::uint8_t action) { return word_of(kActions, action); }

std::vector<std::string> reason_words(std::uint32_t reasons) {
  std::vector<std::string> words;
  for (std::size_t bit = 0; bit < 32; ++bit)
    if ((reasons >> bit) & 1U) words.push_back(word_of(kReasons, bit));
  return words;
}

}  // namespace rltune::historian
