#include <array>
#include <format>
#include <utility>

#include "rltune/guard/guard.hpp"

namespace rltune::guard {
namespace {

constexpr std::array<std::pair<Reason, const char*>, kReasonCount> kReasons{
    {{Reason::limit_low, "limit_low"},
     {Reason::limit_high, "limit_high"},
     {Reason::rate, "rate"},
     {Reason::not_finite, "not_finite"},
     {Reason::minimum_on_time, "minimum_on_time"},
     {Reason::minimum_off_time, "minimum_off_time"},
     {Reason::starts_per_hour, "starts_per_hour"},
     {Reason::interlock, "interlock"},
     {Reason::bad_input, "bad_input"},
     {Reason::stale_input, "stale_input"},
     {Reason::agent_lost, "agent_lost"},
     {Reason::mode, "mode"},
     {Reason::not_owner, "not_owner"},
     {Reason::dcs_took_over, "dcs_took_over"},
     {Reason::link_down, "link_down"},
     {Reason::late, "late"},
     {Reason::policy_fault, "policy_fault"},
     {Reason::budget, "budget"}}};

constexpr std::array kModes{Mode::manual, Mode::shadow, Mode::advisory, Mode::automatic};

}  // namespace

std::string describe(std::uint32_t reasons) {
  std::string text;
  for (const auto& [reason, word] : kReasons) {
    if ((reasons & static_cast<std::uint32_t>(reason)) == 0) continue;
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

Result<Mode> parse_mode(const std::string& word) {
  if (word == "auto") return Mode::automatic;
  for (const Mode mode : kModes)
    if (word == to_string(mode)) return mode;
  return fail(Errc::invalid_argument,
              std::format("'{}' is not one of manual, shadow, advisory, automatic (auto)", word));
}

const char* to_string(Action action) noexcept {
  switch (action) {
    case Action::accepted:
      return "accepted";
    case Action::clamped:
      return "clamped";
    case Action::held:
      return "held";
    case Action::fallback:
      return "fallback";
    case Action::withheld:
      return "withheld";
  }
  return "";
}

const char* to_string(Mode mode) noexcept {
  switch (mode) {
    case Mode::manual:
      return "manual";
    case Mode::shadow:
      return "shadow";
    case Mode::advisory:
      return "advisory";
    case Mode::automatic:
      return "automatic";
  }
  return "";
}

}  // namespace rltune::guard
