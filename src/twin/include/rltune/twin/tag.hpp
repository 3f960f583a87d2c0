// A twin's tags: what it shows of the plant and what may be written, apart from any protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "rltune/base/time.hpp"

namespace rltune::twin {

enum class TagKind : std::uint8_t { real, boolean, int32, uint32, text, time, reals };

// Who may write: nobody, the host that controls the plant, or the plant's own operators (the DCS).
enum class TagAccess : std::uint8_t { read_only, host, operators };
enum class Role : std::uint8_t { host, operators };

struct TagSpec {
  std::string name;
  std::string folder;  // "Sensors", "SetPoints", ...
  std::string unit;    // empty where it has none
  TagKind kind = TagKind::real;
  TagAccess access = TagAccess::read_only;
  double low = 0.0;  // range of values; low == high: no range
  double high = 0.0;
  std::size_t elements = 1;  // kind reals: the array's length
  bool history = false;
  std::string description;
};

using TagContent = std::variant<double, bool, std::int32_t, std::uint32_t, std::string, TimePoint, std::vector<double>>;

enum class TagStatus : std::uint8_t { good, sensor_failure };

// The content's alternative may differ from the tag's kind only where a test asked for a wrong type.
struct TagValue {
  TagContent content;
  TimePoint source_time{};  // the plant's clock
  TagStatus status = TagStatus::good;
};

enum class WriteStatus : std::uint8_t { good, out_of_range, wrong_type, not_writable, denied, wrong_state };

// What a protocol server shows and writes to.
class TagHost {
 public:
  virtual ~TagHost() = default;
  virtual std::span<const TagSpec> tags() const noexcept = 0;
  // REQUIRES: tag < tags().size().
  virtual const TagValue& value(std::size_t tag) const noexcept = 0;
  virtual WriteStatus write(std::size_t tag, const TagContent& content, Role role) = 0;
};

// Where new values are announced, in the order that clients shall see them.
class TagSink {
 public:
  virtual ~TagSink() = default;
  virtual void publish(std::size_t tag) = 0;
};

}  // namespace rltune::twin
