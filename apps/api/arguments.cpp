#include "arguments.hpp"

#include <format>
#include <map>
#include <nlohmann/json.hpp>

namespace rltune::api_app {
namespace {

std::vector<std::string> names_of(std::string_view path) {
  std::vector<std::string> names;
  for (std::size_t at = path.find('{'); at != path.npos; at = path.find('{', at + 1))
    names.emplace_back(path.substr(at + 1, path.find('}', at) - at - 1));
  return names;
}

// What the operation takes beside its path, by name: of its message, or of its query.
api::Json fields_of(const api::Operation& operation) {
  const api::Json document = api::Json::parse(api::openapi(""));
  const auto reference = api::Json::json_pointer("/requestBody/content/application~1json/schema/$ref");
  api::Json fields = api::Json::object();
  for (const api::Json& methods : document["paths"])
    for (const api::Json& told : methods) {
      if (told["operationId"] != operation.id) continue;
      if (told.contains(reference))
        fields.update(document[api::Json::json_pointer(told[reference].get<std::string>().substr(1))]["properties"]);
      for (const api::Json& parameter : told["parameters"])
        if (parameter.value("in", "") == "query") fields[parameter["name"].get<std::string>()] = parameter["schema"];
    }
  return fields;
}

}  // namespace

Result<Arguments> arguments_of(const api::Operation& operation, const std::vector<std::string>& given) {
  std::map<std::string, std::string> values;
  for (const std::string& one : given) {
    const std::size_t equals = one.find('=');
    if (equals == one.npos) return fail(Errc::invalid_argument, std::format("'{}' is not NAME=VALUE", one));
    values[one.substr(0, equals)] = one.substr(equals + 1);
  }
  Arguments call;
  for (const std::string& name : names_of(operation.path)) {
    const auto value = values.extract(name);
    if (!value) return fail(Errc::invalid_argument, std::format("{}=... is missing", name));
    call.parts.push_back(value.mapped());
  }
  const api::Json properties = fields_of(operation);
  api::Json message = api::Json::object();
  for (const auto& [name, value] : values) {
    if (!properties.contains(name))
      return fail(Errc::invalid_argument,
                  std::format("{} has no {}; it takes {}", operation.id, name, usage_of(operation)));
    const bool is_text = properties[name].value("type", "") == "string";
    message[name] = is_text ? api::Json(value) : api::Json::parse(value, nullptr, false);
    if (message[name].is_discarded()) return fail(Errc::invalid_argument, std::format("{}={} is no JSON", name, value));
  }
  if (operation.request != nullptr) call.body = message.dump();
  if (operation.query != nullptr) call.query = message.dump();
  return call;
}

std::string usage_of(const api::Operation& operation) {
  std::string text;
  for (const std::string& name : names_of(operation.path))
    text += std::format("{}{}=TEXT", text.empty() ? "" : " ", name);
  const api::Json properties = fields_of(operation);
  for (const auto& [name, told] : properties.items()) {
    std::string kind = told.value("type", "json") == "string" ? "TEXT" : told.value("type", "json");
    if (told.contains("enum")) {
      kind.clear();
      for (const api::Json& word : told["enum"]) kind += (kind.empty() ? "" : "|") + word.get<std::string>();
    }
    text += std::format("{}{}={}", text.empty() ? "" : " ", name, kind);
  }
  return text;
}

}  // namespace rltune::api_app
