// One alert of one rule on one series, and what is said of it to whom.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rltune/base/time.hpp"

namespace rltune::alerts {

struct Acknowledgement {
  std::string who, why;
  TimePoint at{};
  std::optional<TimePoint> until;  // it ends by itself; none: with the alert
  bool operator==(const Acknowledgement&) const = default;
};

enum class State : std::uint8_t { pending, firing };

struct Instance {
  std::string id;  // the same for this rule and series whenever it fires: "role_down-3fa2b1c4d5e6"
  std::string rule;
  std::map<std::string, std::string> labels;  // of the series
  std::string severity, summary, action;      // as its rule had them
  std::vector<std::string> channels;
  State state = State::pending;
  double value = 0.0;                    // the figure, as last seen
  TimePoint since{};                     // the condition holds
  TimePoint fired{};                     // it has been told; of a firing one
  std::optional<TimePoint> clear_since;  // the condition holds no more, for less than clear_for_s
  TimePoint told{};                      // last time
  std::optional<Acknowledgement> acknowledged;
};

enum class NoticeKind : std::uint8_t { firing, repeated, acknowledged, resolved, test };

// "firing", "repeated", ...
const char* to_string(NoticeKind kind) noexcept;
const char* to_string(State state) noexcept;

// What one channel is to say of one alert.
struct Notice {
  std::uint64_t number = 0;  // ascending
  NoticeKind kind = NoticeKind::firing;
  std::string channel;
  std::string key;  // of all that is said of it from firing to resolved
  std::string site, rule, severity, summary, action;
  std::map<std::string, std::string> labels;
  double value = 0.0;
  TimePoint fired{}, at{};
  std::optional<Acknowledgement> acknowledged;
};

// {"id": ..., "rule": ..., "state": "firing", "labels": {...}, ...}, for an API and for a webhook.
std::string to_json(const Instance& instance);
std::string to_json(const Notice& notice);

}  // namespace rltune::alerts
