// What a field may be. Every kind of file describes each of its fields once, in describe(); reader, JSON Schema,
// comparison and reference page are visitors of it, so that they cannot differ. A visitor offers schema, text,
// number, count, flag, choice, word, path, secret_file, secret_variable, object, optional, list and map, and since()
// for what came with a later version; `note` is what an editor shows beside the field.
#pragma once

#include <limits>
#include <string_view>

namespace rltune::config {

struct Bounds {
  double low = std::numeric_limits<double>::lowest();
  double high = std::numeric_limits<double>::max();
  bool low_open = false;  // low itself is not allowed
};

inline constexpr Bounds kAny{};
inline constexpr Bounds kNotNegative{.low = 0.0, .high = 1e9};
inline constexpr Bounds kPositive{.low = 0.0, .high = 1e9, .low_open = true};

enum class Need : bool { optional, required };

struct Word {
  std::string_view text;
  int value;
};

// Choices that stay text in the structs. The second word of a pair is what the first one stands for.
struct Synonym {
  std::string_view text, means;
};
}  // namespace rltune::config
