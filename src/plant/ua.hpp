// open62541's C types with C++ lifetimes. Internal: only this module's .cpp files include it.
#pragma once

#include <open62541/types.h>
#include <open62541/types_generated.h>
#include <open62541/types_generated_handling.h>

#include <string>
#include <string_view>
#include <utility>

#include "rltune/base/time.hpp"

namespace rltune::plant {

// Owns a structure of type UA_TYPES[Index] and everything it points to.
template <typename T, int Index>
class Ua {
 public:
  Ua() noexcept { UA_init(&value_, type()); }
  explicit Ua(T&& value) noexcept : value_(value) { UA_init(&value, type()); }
  Ua(Ua&& other) noexcept : value_(other.value_) { UA_init(&other.value_, type()); }
  Ua& operator=(Ua&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  Ua(const Ua&) = delete;
  Ua& operator=(const Ua&) = delete;
  ~Ua() { UA_clear(&value_, type()); }

  static const UA_DataType* type() noexcept { return &UA_TYPES[Index]; }
  T* operator->() noexcept { return &value_; }
  const T* operator->() const noexcept { return &value_; }
  T& operator*() noexcept { return value_; }
  const T& operator*() const noexcept { return value_; }

 private:
  T value_;
};

using UaNodeId = Ua<UA_NodeId, UA_TYPES_NODEID>;
using UaVariant = Ua<UA_Variant, UA_TYPES_VARIANT>;
using UaEndpoint = Ua<UA_EndpointDescription, UA_TYPES_ENDPOINTDESCRIPTION>;

inline std::string_view text_of(const UA_String& text) noexcept {
  return {reinterpret_cast<const char*>(text.data), text.length};
}

// A view as UA_String: valid while the text lives and nobody clears it.
inline UA_String view_of(std::string_view text) noexcept {
  return {text.size(), reinterpret_cast<UA_Byte*>(const_cast<char*>(text.data()))};
}

inline UA_String copy_of(std::string_view text) {
  const UA_String view = view_of(text);
  UA_String copy;
  UA_String_copy(&view, &copy);
  return copy;
}

// UA_DateTime counts 100 ns since 1601; here since 1970, without overflow for times no calendar has.
inline std::int64_t ua_ticks_since_1970(UA_DateTime time) noexcept {
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min() + UA_DATETIME_UNIX_EPOCH;
  return std::max<std::int64_t>(time, kLeast) - UA_DATETIME_UNIX_EPOCH;
}

// Times outside TimePoint's range (years 1678 to 2262) become its ends.
inline TimePoint from_ua_time(UA_DateTime time) noexcept {
  constexpr std::int64_t kLimit = std::numeric_limits<std::int64_t>::max() / 100;
  return TimePoint(Duration(std::clamp(ua_ticks_since_1970(time), -kLimit, kLimit) * 100));
}

inline UA_DateTime to_ua_time(TimePoint time) noexcept {
  return time.time_since_epoch().count() / 100 + UA_DATETIME_UNIX_EPOCH;
}

}  // namespace rltune::plant
