#include <array>
#include <set>

#include "rltune/api/operation.hpp"
#include "rltune/api/problem.hpp"
#include "schemas.hpp"

namespace rltune::api {
namespace {

constexpr std::string_view kAbout =
    "What RLTune does at a site, for other programs. Errors are problem documents (RFC 9457); every answer carries "
    "X-Correlation-Id, the one of the call where it had one. Times are RFC 3339 in UTC. Lengths of texts are bytes of "
    "UTF-8.";

struct ErrorKind {
  std::string_view status, name, about;
};
constexpr std::array kErrors{
    ErrorKind{"400", "Malformed", "The request itself is malformed: its head, its path or its framing."},
    ErrorKind{"401", "SignInFirst", "Nobody signed in, the token is no longer good, or name and password are wrong."},
    ErrorKind{"403", "NotAllowed", "The account has not this permission, or a browser's CSRF token is missing."},
    ErrorKind{"404", "NotFound", "There is nothing of that name."},
    ErrorKind{"409", "Conflict", "It cannot be done in the state that the site is in."},
    ErrorKind{"413", "TooLarge", "The body is too large."},
    ErrorKind{"414", "TooLongLine", "The request line is too long: its path and query."},
    ErrorKind{"415", "NoJson", "The body has to be application/json."},
    ErrorKind{"422", "WrongMessage", "The message or a parameter is not as it should be; 'errors' names each."},
    ErrorKind{"429", "TooMany", "Too many calls, or too many wrong attempts to sign in; see Retry-After."},
    ErrorKind{"431", "TooLargeHead", "The head of the request is too large."},
    ErrorKind{"502", "SiteFailed", "The role or the provider that was asked could not do it; the log says why."},
    ErrorKind{"503", "NotNow", "Something that is needed is away or full for now; see Retry-After."},
    ErrorKind{"504", "TooSlow", "The role that was asked did not answer in time."}};

// What can go wrong with an operation, beside what can with each.
bool may_answer(const Operation& operation, std::string_view status) {
  const bool takes = operation.request != nullptr, has_parts = operation.path.contains('{');
  if (status == "404") return has_parts || takes || operation.redirects;
  if (status == "409") return has_parts || operation.method != "GET";
  if (status == "415") return takes;
  return true;
}

// The names within braces, in order.
Json parameters_of(std::string_view path) {
  Json list = Json::array();
  for (std::size_t at = path.find('{'); at != std::string_view::npos; at = path.find('{', at + 1))
    list.push_back({{"name", path.substr(at + 1, path.find('}', at) - at - 1)},
                    {"in", "path"},
                    {"required", true},
                    {"schema", {{"type", "string"}, {"minLength", 1}, {"maxLength", kPartBytesMax}}}});
  list.push_back({{"$ref", "#/components/parameters/CorrelationId"}});
  return list;
}

Json content_of(std::string_view type, const std::string& schema) {
  return {{std::string(type), {{"schema", {{"$ref", "#/components/schemas/" + schema}}}}}};
}

Json headers_of(std::initializer_list<std::string_view> more = {}) {
  Json headers = Json::object();
  for (const std::string_view name : {"X-Correlation-Id", "RateLimit", "RateLimit-Policy"})
    headers[std::string(name)] = {{"$ref", "#/components/headers/" + std::string(name)}};
  for (const std::string_view name : more)
    headers[std::string(name)] = {{"$ref", "#/components/headers/" + std::string(name)}};
  return headers;
}

Json responses_of(const Operation& operation, Schemas& schemas) {
  Json responses;
  if (operation.answer != nullptr)
    responses[operation.accepted ? "202" : "200"] = {
        {"description", operation.accepted ? "begun" : "done"},
        {"headers", headers_of()},
        {"content", content_of("application/json", operation.answer(schemas))}};
  else if (operation.redirects)
    responses["302"] = {{"description", "done; the browser goes on at Location"},
                        {"headers", headers_of({"Location"})}};
  else
    responses["204"] = {{"description", "done"}, {"headers", headers_of()}};
  for (const ErrorKind& error : kErrors)
    if (may_answer(operation, error.status))
      responses[std::string(error.status)] = {{"$ref", "#/components/responses/" + std::string(error.name)}};
  responses["default"] = {{"$ref", "#/components/responses/Failed"}};
  return responses;
}

Json describe_operation(const Operation& operation, Schemas& schemas) {
  const PermissionRow& row = row_of(operation.permission);
  Json told{{"operationId", operation.id},
            {"tags", {operation.group}},
            {"summary", operation.summary},
            {"x-permission", row.name}};
  if (!operation.description.empty()) told["description"] = operation.description;
  Json parameters = parameters_of(operation.path);
  if (operation.query != nullptr) operation.query(schemas, parameters);
  told["parameters"] = std::move(parameters);
  if (operation.request != nullptr)
    told["requestBody"] = {{"required", true}, {"content", content_of("application/json", operation.request(schemas))}};
  told["responses"] = responses_of(operation, schemas);
  told["security"] = Json::array();
  Json cookie{{"cookie", Json::array()}};
  if (operation.method != "GET") cookie["csrf"] = Json::array();
  if (operation.permission != Permission::open) told["security"] = {{{"bearer", Json::array()}}, std::move(cookie)};
  return told;
}

Json error_responses(Schemas& schemas) {
  const Json content = content_of("application/problem+json", schemas.add<Problem>());
  Json responses = Json::object();
  for (const ErrorKind& error : kErrors) {
    Json headers = error.status == "401"                            ? headers_of({"WWW-Authenticate"})
                   : error.status == "429" || error.status == "503" ? headers_of({"Retry-After"})
                                                                    : headers_of();
    responses[std::string(error.name)] = {
        {"description", error.about}, {"headers", std::move(headers)}, {"content", content}};
  }
  responses["Failed"] = {
      {"description", "What was wrong, and what to do."}, {"headers", headers_of()}, {"content", content}};
  return responses;
}

Json text_header(std::string_view about) { return {{"description", about}, {"schema", {{"type", "string"}}}}; }

Json headers() {
  return {{"X-Correlation-Id", text_header("By which the audit and every role's log have more of this call.")},
          {"RateLimit", text_header("What is left of the caller's calls, and in how many seconds all are there again: "
                                    "\"calls\";r=199;t=1")},
          {"RateLimit-Policy", text_header("So many calls in so many seconds: \"calls\";q=200;w=4")},
          {"Location", text_header("Where a browser goes on.")},
          {"Retry-After", text_header("In how many seconds to try again.")},
          {"WWW-Authenticate", text_header("Bearer, and what is wrong with the one that came.")}};
}

Json correlation_parameter() {
  return {{"CorrelationId",
           {{"name", "X-Correlation-Id"},
            {"in", "header"},
            {"required", false},
            {"description", "Names this call in the audit and the logs; one is made where it is missing."},
            {"schema", {{"type", "string"}, {"pattern", "^[A-Za-z0-9_.:-]{1,64}$"}}}}}};
}

Json security_schemes() {
  return {{"bearer",
           {{"type", "http"},
            {"scheme", "bearer"},
            {"bearerFormat", "JWT"},
            {"description", "The access token of login, refresh or serviceToken."}}},
          {"cookie",
           {{"type", "apiKey"},
            {"in", "cookie"},
            {"name", "__Host-rltune-access"},
            {"description", "What a login with \"cookie\": true sets, for browsers."}}},
          {"csrf",
           {{"type", "apiKey"},
            {"in", "header"},
            {"name", "X-CSRF-Token"},
            {"description", "csrf_token of that login: with the cookie, for whatever changes something."}}}};
}

Json groups() {
  std::set<std::string_view> names;
  Json list = Json::array();
  for (const Operation& operation : operations())
    if (names.insert(operation.group).second) list.push_back({{"name", operation.group}});
  return list;
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
  Json errors = error_responses(schemas);
  const Json document{{"openapi", "3.1.0"},
                      {"info", {{"title", "RLTune"}, {"version", version}, {"description", kAbout}}},
                      {"servers", {{{"url", "/"}}}},
                      {"tags", groups()},
                      {"paths", std::move(paths)},
                      {"components",
                       {{"schemas", schemas.all()},
                        {"responses", std::move(errors)},
                        {"headers", headers()},
                        {"parameters", correlation_parameter()},
                        {"securitySchemes", security_schemes()}}}};
  return document.dump(2) + "\n";
}

}  // namespace rltune::api
