// A YAML document as a tree whose every key and value knows its line. Made for files that people write and
// for bytes that are hostile: anchors, aliases, tags, duplicate keys, deep nesting and several documents are
// refused, so that the tree is never larger than the text; and so is text that a person cannot read as it is: bytes
// that are no UTF-8, control characters, characters that turn the direction of writing.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "rltune/config/document.hpp"

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

// The fault names the field around the place where reading stopped.
std::expected<YamlNode, Fault> parse_yaml(const std::string& text);

}  // namespace rltune::config
