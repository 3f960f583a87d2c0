// The text of a tag's binding: "nsu=<namespace URI>;s=<identifier>", then an optional element "[3]" and
// optional structure fields ".Range.Low".
//
// String identifiers may contain dots and brackets themselves ("s=Channel1.Device1.Tag[3]"), so one text
// can be read in several ways; candidates() lists them, the longest identifier first, and the server
// decides which one exists.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::plant {

struct NodePath {
  enum class Kind : std::uint8_t { numeric, string, guid, opaque };

  std::string namespace_uri;  // empty: namespace 0, OPC UA's own
  Kind kind = Kind::string;
  std::string identifier;  // text as written after "i=", "s=", "g=" or "b="
  std::optional<std::uint32_t> element;
  std::vector<std::string> fields;

  bool operator==(const NodePath&) const = default;
};

// Every reading of the text, longest identifier first; at least one. Errors: parse, with an example.
Result<std::vector<NodePath>> parse_node_path(std::string_view text);

// The nsu form: "%" and ";" of the URI escaped as Part 6, 5.3.1.11 says.
std::string format_node_path(const NodePath& path);

}  // namespace rltune::plant
