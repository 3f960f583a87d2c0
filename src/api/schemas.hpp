// The visitor of field.hpp that writes JSON Schema (draft 2020-12), as OpenAPI 3.1 wants it.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rltune/api/json.hpp"
#include "rltune/api/operation.hpp"

namespace rltune::api {

class Schemas {
 public:
  template <typename T>
  std::string add();
  const Json& all() const noexcept { return all_; }

 private:
  Json all_ = Json::object();
};

class SchemaWriter {
 public:
  explicit SchemaWriter(Schemas& schemas) : schemas_(schemas) {}

  template <typename T>
  void field(std::string_view name, std::optional<T>&, const Rule& rule) {
    add<T>(name, rule);
  }
  template <typename T>
  void field(std::string_view name, T&, const Rule& rule) {
    add<T>(name, rule);
    required_.push_back(name);
  }
  Json take() {
    Json schema{{"type", "object"}, {"properties", std::move(properties_)}};
    if (!required_.empty()) schema["required"] = std::move(required_);
    schema["additionalProperties"] = false;
    return schema;
  }

 private:
  template <typename T>
  struct Kind {};

  template <typename T>
  void add(std::string_view name, const Rule& rule) {
    Json schema = of(Kind<T>{}, rule);
    schema["description"] = rule.note;
    if (rule.secret) schema["writeOnly"] = true;
    properties_[std::string(name)] = std::move(schema);
  }
  static Json of(Kind<std::string>, const Rule& rule) {
    Json schema{{"type", "string"}};
    if (rule.words.empty())
      schema["maxLength"] = rule.length_max;
    else
      schema["enum"] = std::vector<std::string>(rule.words.begin(), rule.words.end());
    return schema;
  }
  static Json of(Kind<double>, const Rule& rule) { return bounded({{"type", "number"}}, rule); }
  static Json of(Kind<std::optional<double>>, const Rule& rule) {  // in a list
    Json schema = of(Kind<double>{}, rule);
    schema["type"] = {"number", "null"};
    return schema;
  }
  static Json of(Kind<std::uint64_t>, const Rule& rule) {
    Json schema{{"type", "integer"}, {"minimum", 0}};
    return bounded(std::move(schema), rule);
  }
  static Json of(Kind<bool>, const Rule&) { return {{"type", "boolean"}}; }
  static Json of(Kind<TimePoint>, const Rule&) { return {{"type", "string"}, {"format", "date-time"}}; }
  template <typename T>
  Json of(Kind<std::vector<T>>, const Rule& rule) {
    return {{"type", "array"}, {"items", of(Kind<T>{}, rule)}, {"maxItems", rule.length_max}};
  }
  template <typename T>
  Json of(Kind<std::map<std::string, T>>, const Rule& rule) {
    return {{"type", "object"}, {"additionalProperties", of(Kind<T>{}, rule)}, {"maxProperties", rule.length_max}};
  }
  template <typename T>
  Json of(Kind<T>, const Rule&) {
    return {{"$ref", "#/components/schemas/" + schemas_.add<T>()}};
  }
  static Json bounded(Json schema, const Rule& rule) {
    if (std::isfinite(rule.low)) schema["minimum"] = rule.low;
    if (std::isfinite(rule.high)) schema["maximum"] = rule.high;
    return schema;
  }

  Schemas& schemas_;
  Json properties_ = Json::object();
  std::vector<std::string_view> required_;
};

template <typename T>
std::string Schemas::add() {
  const std::string name(T::kSchema);
  if (all_.contains(name)) return name;
  all_[name] = Json::object();  // a message may hold others of its kind
  SchemaWriter writer(*this);
  T message;
  describe(writer, message);
  all_[name] = writer.take();
  return name;
}

template <typename T>
void query_of(Schemas& schemas, Json& parameters) {
  SchemaWriter writer(schemas);
  T query;
  describe(writer, query);
  Json schema = writer.take();
  const Json required = schema.value("required", Json::array());
  for (auto& [name, one] : schema["properties"].items()) {
    Json parameter{{"name", name}, {"in", "query"}, {"required", std::ranges::contains(required, Json(name))}};
    parameter["description"] = one["description"];
    one.erase("description");
    parameter["schema"] = std::move(one);
    parameters.push_back(std::move(parameter));
  }
}

template <typename T>
std::string schema_of(Schemas& schemas) {
  return schemas.add<T>();
}

}  // namespace rltune::api
