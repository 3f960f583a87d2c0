// What stands behind the question mark of a call, as a typed struct described as messages are (field.hpp), and read as
// strictly: a parameter that nobody knows, that stands twice, is missing or is of another kind is a fault, and all
// faults are told at once. A parameter is a text, a number, true or false, or a time; a std::optional one may be
// missing.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rltune/api/json.hpp"

namespace rltune::api {

struct Parameters {
  std::map<std::string, std::string> values;  // decoded
  std::vector<std::string> twice;             // names that stand more than once
};

// The visitor that makes a message of them, for the reader of messages: a number where the struct has one. What is none
// stays a text, and the reader says what it has to be.
class QueryTree {
 public:
  explicit QueryTree(const std::map<std::string, std::string>& values);

  template <typename T>
  void field(std::string_view name, std::optional<T>& value, const Rule& rule) {
    T none{};
    field(name, value ? *value : none, rule);
  }
  void field(std::string_view, std::string&, const Rule&) {}
  void field(std::string_view, TimePoint&, const Rule&) {}
  void field(std::string_view name, std::uint64_t&, const Rule&);
  void field(std::string_view name, double&, const Rule&);
  void field(std::string_view name, bool&, const Rule&);
  Json take() { return std::move(tree_); }

 private:
  template <typename Number>
  void number(std::string_view name);

  Json tree_ = Json::object();
};

// What is wrong with names, and where that is said of a message, it is said of the parameter.
Faults faults_of_query(const Parameters& parameters, Faults of_message);

template <typename T>
std::expected<T, Faults> from_query(const Parameters& parameters) {
  T query;
  QueryTree texts(parameters.values);
  describe(texts, query);
  const Json tree = texts.take();
  Faults faults;
  JsonReader reader(tree, "", faults);
  describe(reader, query);
  reader.end();
  faults = faults_of_query(parameters, std::move(faults));
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return query;
}

}  // namespace rltune::api
