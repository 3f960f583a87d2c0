// A YAML document as a tree whose every key and value knows its line. Made for files that people write and
// for bytes that are hostile: anchors, aliases, tags, duplicate keys, deep nesting and several documents are
// refused, so that the tree is never larger than the text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::config {

struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, sequence, map };
  Kind kind = Kind::null;
  int line = 0;         // from 1
  bool quoted = false;  // a scalar in quotes is text, whatever it looks like
  std::string scalar;
  std::vector<YamlNode> items;    // a sequence's items, a map's values
  std::vector<std::string> keys;  // a map's keys, as many as items
  std::vector<int> key_lines;
};

inline constexpr std::size_t kYamlBytesMax = 1U << 20;
inline constexpr std::size_t kYamlDepthMax = 16;

// Errors: parse, "NAME:LINE: what is wrong".
Result<YamlNode> parse_yaml(const std::string& text, const std::string& name);

}  // namespace rltune::config
