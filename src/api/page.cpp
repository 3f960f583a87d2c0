// The OpenAPI document as a page to read.
#include <algorithm>
#include <format>
#include <vector>

#include "page_style.hpp"
#include "rltune/api/documents.hpp"
#include "rltune/api/json.hpp"
#include "rltune/api/operation.hpp"

namespace rltune::api {
namespace {

std::string safe(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : std::string(1, c);
  return out;
}

std::string link_to(const Json& reference) {
  const std::string text = reference.get<std::string>();
  const std::string name = safe(text.substr(text.rfind('/') + 1));
  return std::format(R"(<a href="#{0}">{0}</a>)", name);
}

// "list of Role", "one of manual, shadow", "text, at most 64 bytes".
std::string kind_of(const Json& schema) {
  if (schema.contains("$ref")) return link_to(schema["$ref"]);
  if (schema.contains("enum")) {
    std::string words;
    for (const Json& word : schema["enum"])
      words += (words.empty() ? "<code>" : ", <code>") + safe(word.get<std::string>()) + "</code>";
    return "one of " + words;
  }
  if (schema.contains("type") && schema["type"].is_array()) {  // a number in a list, or none
    Json there = schema;
    there["type"] = schema["type"].front();
    return kind_of(there) + " or null";
  }
  const std::string type = schema.value("type", "");
  if (type == "array") return "list of " + kind_of(schema["items"]);
  if (type == "object") return "by name: " + kind_of(schema["additionalProperties"]);
  if (schema.value("format", "") == "date-time") return "time (RFC 3339)";
  std::string told = type == "string" ? "text" : type;
  if (schema.contains("maxLength")) told += std::format(", at most {} bytes", schema["maxLength"].dump());
  if (type == "number" && schema.contains("minimum")) told += ", from " + schema["minimum"].dump();
  if (schema.contains("maximum")) told += ", to " + schema["maximum"].dump();
  return told;
}

std::string fields_of(const Json& schema) {
  std::string text = "<table><tr><th>field</th><th>kind</th><th>what it is</th></tr>";
  const Json required = schema.value("required", Json::array());
  for (const auto& [name, told] : schema["properties"].items()) {
    const bool needed = std::ranges::find(required, Json(name)) != required.end();
    text += std::format("<tr><td><code>{}</code>{}</td><td>{}</td><td>{}</td></tr>", safe(name),
                        needed ? "" : R"( <span class="soft">may be missing</span>)", kind_of(told),
                        safe(told.value("description", "")));
  }
  return text + "</table>";
}

std::string roles_of(const Operation& operation) {
  if (operation.permission == Permission::open) return "Nobody has to sign in.";
  std::string names;
  for (const Role role : {Role::viewer, Role::operate, Role::engineer, Role::admin, Role::service})
    if (may(role, operation.permission)) names += (names.empty() ? "" : ", ") + std::string(to_string(role));
  return std::format("Permission <code>{}</code>: {}.", row_of(operation.permission).name, names);
}

std::string parameter_table(const Json& told) {
  std::string rows;
  for (const Json& parameter : told["parameters"])
    if (parameter.contains("name"))
      rows += std::format("<tr><td><code>{}</code></td><td>in the {}</td><td>{}</td><td>{}</td></tr>",
                          safe(parameter.value("name", "")), safe(parameter.value("in", "")),
                          kind_of(parameter["schema"]), safe(parameter.value("description", "")));
  return rows.empty() ? rows : "<h4>Parameters</h4><table>" + rows + "</table>";
}

std::string answers_of(const Json& told, const Json& document) {
  const auto schema = Json::json_pointer("/content/application~1json/schema/$ref");
  std::string text = "<h4>Answers</h4><table>";
  for (const auto& [status, response] : told["responses"].items()) {
    if (status == "default") continue;
    const Json& whole = response.contains("$ref")
                            ? document[Json::json_pointer(response["$ref"].get<std::string>().substr(1))]
                            : response;
    const std::string what = whole.contains(schema) ? link_to(whole[schema])
                             : status < "400"       ? "nothing"
                                                    : R"(<a href="#Problem">Problem</a>)";
    text += std::format("<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>", status, what,
                        safe(whole.value("description", "")));
  }
  return text + "</table>";
}

const Json& described(const Operation& operation, const Json& document) {
  const Json& methods = document["paths"][std::string(operation.path)];
  return *std::ranges::find_if(methods, [&](const Json& one) { return one["operationId"] == operation.id; });
}

std::string article_of(const Operation& operation, const Json& document) {
  const Json& told = described(operation, document);
  std::string text = std::format(
      R"(<article id="{}"><div class="line"><span class="method {}">{}</span><code>{}</code></div><h3>{}</h3>)",
      operation.id, operation.method, operation.method, safe(operation.path), safe(operation.summary));
  if (!operation.description.empty()) text += "<p>" + safe(operation.description) + "</p>";
  text += std::format(R"(<p class="soft">{} Its name in clients: <code>{}</code>.</p>)", roles_of(operation),
                      operation.id) +
          parameter_table(told);
  const auto request = Json::json_pointer("/requestBody/content/application~1json/schema/$ref");
  if (told.contains(request)) {
    const std::string name = told[request].get<std::string>().substr(1);
    text += "<h4>Message: " + link_to(told[request]) + "</h4>" + fields_of(document[Json::json_pointer(name)]);
  }
  return text + answers_of(told, document) + "</article>";
}

std::vector<std::string_view> group_names() {
  std::vector<std::string_view> names;
  for (const Operation& operation : operations())
    if (std::ranges::find(names, operation.group) == names.end()) names.push_back(operation.group);
  return names;
}

std::string contents() {
  std::string text = R"(<nav><a href="#top"><b>RLTune</b></a>)";
  for (const std::string_view group : group_names()) {
    text += std::format("<h2>{}</h2>", safe(group));
    for (const Operation& operation : operations())
      if (operation.group == group)
        text += std::format(R"(<a href="#{}">{}</a>)", operation.id, safe(operation.summary));
  }
  return text + R"(<h2>reference</h2><a href="#messages">Messages</a><a href="openapi.json">openapi.json</a></nav>)";
}

constexpr std::string_view kIntroduction =
    R"(<p>Sign in with <a href="#login">login</a>, or with <a href="#serviceToken">serviceToken</a> for a program, and send the token with every call:</p>
<pre>Authorization: Bearer eyJ...</pre>
<p>It lives an hour; <a href="#refresh">refresh</a> changes the refresh token for new ones. A message is <code>application/json</code>. The live values are
a WebSocket at <code>/api/v1/live</code>.</p>)";

}  // namespace

ReferencePage reference_page(std::string_view version) {
  const Json document = Json::parse(openapi(version));
  std::string html = std::format(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\">"
      "<title>RLTune {0}: API</title><style>{1}</style></head><body><div class=\"frame\">{2}<main id=\"top\"><h1>The "
      "API of a site</h1>"
      "<p class=\"soft\">RLTune {0}</p><p>{3}</p>{4}",
      safe(version), kPageStyle, contents(), safe(document["info"].value("description", "")), kIntroduction);
  for (const std::string_view group : group_names()) {
    html += std::format("<h2>{}</h2>", safe(group));
    for (const Operation& operation : operations())
      if (operation.group == group) html += article_of(operation, document);
  }
  html += R"(<h2 id="messages">Messages</h2>)";
  for (const auto& [name, schema] : document["components"]["schemas"].items())
    html += std::format(R"(<article id="{0}"><h3>{0}</h3>{1}</article>)", safe(name), fields_of(schema));
  return {.html = html + "</main></div></body></html>\n", .style = kPageStyle};
}

}  // namespace rltune::api
