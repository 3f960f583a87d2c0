// The visitor of field_types.hpp that writes JSON Schema (draft 2020-12): types, bounds, allowed words, notes
// and the defaults, which it takes from the structs themselves.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "site_fields.hpp"

namespace rltune::config {

class SchemaWriter {
 public:
  using Json = nlohmann::ordered_json;

  explicit SchemaWriter(int version) : version_(version) {}

  void schema(const std::string&, std::span<const Synonym> words) {
    add("schema", "string", Need::required, "kind and version of this file")["const"] =
        words[static_cast<std::size_t>(version_ - 1)].text;
  }
  bool since(int version, std::string_view) const { return version_ >= version; }
  void text(std::string_view name, const std::string& value, Need need, std::string_view note) {
    Json& field = add(name, "string", need, note);
    if (need == Need::required) field["minLength"] = 1;
    if (!value.empty()) field["default"] = value;
  }
  void path(std::string_view name, const std::filesystem::path& value, Need need, std::string_view note) {
    text(name, value.string(), need, note);
  }
  void secret_file(std::string_view name, const std::filesystem::path& value, std::string_view note) {
    path(name, value, Need::optional, note);
  }
  void secret_variable(std::string_view name, const std::string& value, std::string_view note) {
    text(name, value, Need::optional, note);
    properties_[std::string(name)]["pattern"] = "^[A-Z_][A-Z0-9_]*$";
  }
  void number(std::string_view name, double value, const Bounds& bounds, Need need, std::string_view note) {
    Json& field = add(name, "number", need, note);
    set_bounds(field, bounds);
    if (need == Need::optional) field["default"] = value;
  }
  void count(std::string_view name, std::size_t value, const Bounds& bounds, std::string_view note) {
    Json& field = add(name, "integer", Need::optional, note);
    set_bounds(field, bounds);
    field["default"] = value;
  }
  void flag(std::string_view name, bool value, std::string_view note) {
    add(name, "boolean", Need::optional, note)["default"] = value;
  }
  void text_list(std::string_view name, const std::vector<std::string>&, Need need, std::string_view note) {
    add(name, "array", need, note)["items"] = Json{{"type", "string"}};
  }
  void number_list(std::string_view name, const std::vector<double>&, std::string_view note) {
    add(name, "array", Need::optional, note)["items"] = Json{{"type", "number"}};
  }
  void text_map(std::string_view name, const std::map<std::string, std::string>&, std::string_view note) {
    add(name, "object", Need::optional, note)["additionalProperties"] = Json{{"type", "string"}};
  }
  void number_map(std::string_view name, const std::map<std::string, double>&, std::string_view note) {
    add(name, "object", Need::optional, note)["additionalProperties"] = Json{{"type", "number"}};
  }
  void range_map(std::string_view name, const std::map<std::string, Range>&, std::string_view note) {
    Range range;
    add(name, "object", Need::optional, note)["additionalProperties"] = of(range);
  }
  void word(std::string_view name, const std::string& value, std::span<const Synonym> words, std::string_view note,
            Need need = Need::optional) {
    Json& field = add(name, "string", need, note);
    for (const Synonym& allowed : words) field["enum"].push_back(allowed.text);
    field["default"] = value;
  }
  template <typename Enum>
  void choice(std::string_view name, Enum value, std::span<const Word> words, std::string_view note) {
    Json& field = add(name, "string", Need::optional, note);
    for (const Word& allowed : words) {
      field["enum"].push_back(allowed.text);
      if (allowed.value == static_cast<int>(value)) field["default"] = allowed.text;
    }
  }
  template <typename T>
  void object(std::string_view name, T& value, Need need, std::string_view note) {
    add(name, "object", need, note).update(of(value));
  }
  template <typename T>
  void optional(std::string_view name, std::optional<T>&, std::string_view note) {
    T value;
    add(name, "object", Need::optional, note).update(of(value));
  }
  template <typename T>
  void list(std::string_view name, std::vector<T>&, Need need, std::string_view note) {
    T value;
    add(name, "array", need, note)["items"] = of(value);
  }

  Json take() {
    Json schema{{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties_)}};
    if (!required_.empty()) schema["required"] = std::move(required_);
    return schema;
  }

 private:
  template <typename T>
  Json of(T& value) const {
    SchemaWriter writer(version_);
    describe(writer, value);
    return writer.take();
  }

  static void set_bounds(Json& field, const Bounds& bounds) {
    if (bounds.low > std::numeric_limits<double>::lowest())
      field[bounds.low_open ? "exclusiveMinimum" : "minimum"] = bounds.low;
    if (bounds.high < std::numeric_limits<double>::max()) field["maximum"] = bounds.high;
  }

  Json& add(std::string_view name, const char* type, Need need, std::string_view note) {
    if (need == Need::required) required_.push_back(name);
    return properties_[std::string(name)] = Json{{"type", type}, {"description", note}};
  }

  int version_;
  Json properties_ = Json::object();
  Json required_ = Json::array();
};

}  // namespace rltune::config
