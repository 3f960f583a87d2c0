// From a YAML tree to the structs of its kind.
#pragma once

#include <string>

#include "field_reader.hpp"
#include "kind_check.hpp"
#include "kind_fields.hpp"
#include "site_fields.hpp"

namespace rltune::config {

// The version that the tree names, or the newest one of the kind.
int version_in(const YamlNode& tree, Kind kind);

// Faults go to `faults`; the value holds what could be read.
template <typename T>
T read_document(const YamlNode& tree, Faults& faults) {
  T value;
  FieldReader::read(tree, "", faults, value);
  if (tree.kind == YamlNode::Kind::map) check_fields(value, faults);
  return value;
}

template <typename T>
Result<T> parse_document(Kind kind, const std::string& yaml, const std::string& name) {
  const auto tree = parse_yaml(yaml);
  if (!tree) return fail(Errc::parse, to_text(name, {tree.error()}));
  Faults faults(name, version_in(*tree, kind));
  T value = read_document<T>(*tree, faults);
  if (!faults.empty()) return std::unexpected(faults.error());
  return value;
}

template <typename T>
Result<T> load_document(Kind kind, const std::filesystem::path& file) {
  const auto text = load_text(file);
  if (!text) return std::unexpected(text.error());
  return parse_document<T>(kind, *text, file.string());
}

// Calls `action` with an empty value of the kind's struct: where the struct is chosen at run time.
template <typename Action>
auto with_kind(Kind kind, Action action) {
  switch (kind) {
    case Kind::users:
      return action(Users{});
    case Kind::retention:
      return action(Retention{});
    case Kind::alerts:
      return action(Alerts{});
    case Kind::telemetry:
      return action(Telemetry{});
    case Kind::site:
      break;
  }
  return action(Site{});
}

}  // namespace rltune::config
