// Messages of the API as JSON (RFC 8259), strictly: a field that nobody knows, that stands twice, is missing or is of
// another kind is a fault, and all faults are told at once.
#pragma once

#include <expected>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/api/field.hpp"
#include "rltune/base/time.hpp"

namespace rltune::api {

using Json = nlohmann::ordered_json;

// One thing that is wrong with a message, and where: "/traffic/canary_percent/2".
struct Fault {
  std::string pointer;      // RFC 6901; empty: the whole
  std::string detail;       // never holds the value, which may be a secret
  std::string parameter{};  // instead of a pointer: the name of what is wrong behind the question mark

  friend bool operator==(const Fault&, const Fault&) = default;
};
using Faults = std::vector<Fault>;
inline constexpr std::size_t kFaultsMax = 100, kPointerMax = 200;  // who sends nonsense gets no more of it back

// The first of them, with pointers cut off where they are long.
Faults bounded(Faults faults);

// The text as a tree of at most 32 levels in which no name stands twice; faults otherwise.
std::expected<Json, Faults> parse_strictly(std::string_view text);

template <typename T>
std::string to_json(const T& message);
template <typename T>
std::expected<T, Faults> from_json(std::string_view text);

// RFC 6901: of what stands under that name.
std::string below(std::string_view pointer, std::string_view name);

// The visitor that writes.
class JsonWriter {
 public:
  template <typename T>
  void field(std::string_view name, const T& value, const Rule&) {
    put(name, value);
  }
  Json take() { return std::move(object_); }

 private:
  template <typename T>
  void put(std::string_view name, const std::optional<T>& value) {
    if (value) put(name, *value);
  }
  template <typename T>
  void put(std::string_view name, const T& value) {
    object_[std::string(name)] = json_of(value);
  }
  static Json json_of(const std::string& value) { return value; }
  static Json json_of(double value) { return value; }
  static Json json_of(std::uint64_t value) { return value; }
  static Json json_of(bool value) { return value; }
  static Json json_of(TimePoint value) { return format_rfc3339(value); }
  template <typename T>
  static Json json_of(const std::optional<T>& value) {  // in a list
    return value ? json_of(*value) : Json();
  }
  template <typename T>
  static Json json_of(const std::vector<T>& values) {
    Json list = Json::array();
    for (const T& value : values) list.push_back(json_of(value));
    return list;
  }
  template <typename T>
  static Json json_of(const std::map<std::string, T>& values) {
    Json object = Json::object();
    for (const auto& [name, value] : values) object[name] = json_of(value);
    return object;
  }
  template <typename T>
  static Json json_of(const T& value) {
    JsonWriter writer;
    describe(writer, const_cast<T&>(value));  // a writer changes nothing
    return writer.take();
  }

  Json object_ = Json::object();
};

// The visitor that reads. REQUIRES: the tree outlives it.
class JsonReader {
 public:
  JsonReader(const Json& tree, std::string pointer, Faults& faults);

  template <typename T>
  void field(std::string_view name, std::optional<T>& value, const Rule& rule) {
    if (const Json* node = find(name)) read(*node, pointer_of(name), value.emplace(), rule);
  }
  template <typename T>
  void field(std::string_view name, T& value, const Rule& rule) {
    if (const Json* node = find(name))
      read(*node, pointer_of(name), value, rule);
    else if (tree_.is_object())
      faults_.push_back({pointer_of(name), "is missing"});
  }
  // After all fields: what the message holds beside them.
  void end();

 private:
  const Json* find(std::string_view name);
  std::string pointer_of(std::string_view name) const { return below(pointer_, name); }
  bool expect(bool ok, const std::string& pointer, std::string_view what);
  bool fits(std::size_t size, const std::string& pointer, const Rule& rule, std::string_view unit);

  void read(const Json& node, const std::string& pointer, std::string& value, const Rule& rule);
  void read(const Json& node, const std::string& pointer, double& value, const Rule& rule);
  void read(const Json& node, const std::string& pointer, std::uint64_t& value, const Rule& rule);
  void read(const Json& node, const std::string& pointer, bool& value, const Rule& rule);
  void read(const Json& node, const std::string& pointer, TimePoint& value, const Rule& rule);
  template <typename T>
  void read(const Json& node, const std::string& pointer, std::optional<T>& value, const Rule& rule) {  // in a list
    value.reset();
    if (!node.is_null()) read(node, pointer, value.emplace(), rule);
  }
  template <typename T>
  void read(const Json& node, const std::string& pointer, std::vector<T>& values, const Rule& rule) {
    if (!expect(node.is_array(), pointer, "a list") || !fits(node.size(), pointer, rule, "entries")) return;
    values.clear();
    for (std::size_t i = 0; i < node.size(); ++i)
      read(node[i], pointer + "/" + std::to_string(i), values.emplace_back(), rule);
  }
  template <typename T>
  void read(const Json& node, const std::string& pointer, std::map<std::string, T>& values, const Rule& rule) {
    if (!expect(node.is_object(), pointer, "an object") || !fits(node.size(), pointer, rule, "entries")) return;
    values.clear();
    for (const auto& [name, inner] : node.items()) read(inner, below(pointer, name), values[name], rule);
  }
  template <typename T>
  void read(const Json& node, const std::string& pointer, T& value, const Rule&) {
    JsonReader reader(node, pointer, faults_);
    describe(reader, value);
    reader.end();
  }

  const Json& tree_;
  std::string pointer_;
  Faults& faults_;
  std::vector<std::string> known_;
};

template <typename T>
std::string to_json(const T& message) {
  JsonWriter writer;
  describe(writer, const_cast<T&>(message));
  return writer.take().dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <typename T>
std::expected<T, Faults> from_json(std::string_view text) {
  const auto tree = parse_strictly(text);
  if (!tree) return std::unexpected(tree.error());
  T message;
  Faults faults;
  JsonReader reader(*tree, "", faults);
  describe(reader, message);
  reader.end();
  if (!faults.empty()) return std::unexpected(bounded(std::move(faults)));
  return message;
}

}  // namespace rltune::api
