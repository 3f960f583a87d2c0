#include "rltune/api/operation.hpp"
#include "rltune/api/problem.hpp"
#include "schemas.hpp"

namespace rltune::api {
namespace {

constexpr std::string_view kAbout =
    "What RLTune does at a site, for other programs. Errors are problem documents (RFC 9457); every answer carries "
    "X-Correlation-Id, the one of the call where it had one. Times are RFC 3339 in UTC.";

// The names within braces, in order.
Json parameters_of(std::string_view path) {
  Json list = Json::array();
  for (std::size_t at = path.find('{'); at != std::string_view::npos; at = path.find('{', at + 1))
    list.push_back({{"name", path.substr(at + 1, path.find('}', at) - at - 1)},
                    {"in", "path"},
                    {"required", true},
                    {"schema", {{"type", "string"}, {"minLength", 1}, {"maxLength", 200}}}});
  return list;
}

Json content_of(std::string_view type, const std::string& schema) {
  return {{std::string(type), {{"schema", {{"$ref", "#/components/schemas/" + schema}}}}}};
}

Json responses_of(const Operation& operation, Schemas& schemas) {
  Json responses;
  if (operation.answer != nullptr)
    responses["200"] = {{"description", "done"},
                        {"content", content_of("application/json", operation.answer(schemas))}};
  else
    responses["204"] = {{"description", "done"}};
  responses["default"] = {{"description", "what was wrong, and what to do"},
                          {"content", content_of("application/problem+json", schemas.add<Problem>())}};
  return responses;
}

Json describe_operation(const Operation& operation, Schemas& schemas) {
  const PermissionRow& row = row_of(operation.permission);
  Json told{{"operationId", operation.id},
            {"tags", {operation.group}},
            {"summary", operation.summary},
            {"x-permission", row.name}};
  if (!operation.description.empty()) told["description"] = operation.description;
  if (Json parameters = parameters_of(operation.path); !parameters.empty()) told["parameters"] = std::move(parameters);
  if (operation.request != nullptr)
    told["requestBody"] = {{"required", true}, {"content", content_of("application/json", operation.request(schemas))}};
  told["responses"] = responses_of(operation, schemas);
  told["security"] = Json::array();
  if (operation.permission != Permission::open)
    told["security"] = {{{"bearer", Json::array()}}, {{"cookie", Json::array()}}};
  return told;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace

std::string openapi(std::string_view version) {
  Schemas schemas;
  Json paths = Json::object();
  for (const Operation& operation : operations())
    paths[std::string(operation.path)][lower(operation.method)] = describe_operation(operation, schemas);
  const Json document{{"openapi", "3.1.0"},
                      {"info", {{"title", "RLTune"}, {"version", version}, {"description", kAbout}}},
                      {"paths", std::move(paths)},
                      {"components",
                       {{"schemas", schemas.all()},
                        {"securitySchemes",
                         {{"bearer", {{"type", "http"}, {"scheme", "bearer"}, {"bearerFormat", "JWT"}}},
                          {"cookie", {{"type", "apiKey"}, {"in", "cookie"}, {"name", "__Host-rltune-access"}}}}}}}};
  return document.dump(2) + "\n";
}

}  // namespace rltune::api
