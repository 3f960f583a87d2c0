// docs/config.md, from the JSON Schemas: what an editor shows is what the page says.
#include <algorithm>
#include <format>
#include <nlohmann/json.hpp>

#include "rltune/config/document.hpp"
#include "words.hpp"

namespace rltune::config {
namespace {

using nlohmann::ordered_json;

std::string escaped(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
  return text;
}

std::string show(const ordered_json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number() ? show_number(value.get<double>()) : value.dump();
}

std::string allowed(const ordered_json& field) {
  std::string text;
  if (field.contains("enum")) {
    for (const auto& word : field["enum"]) text += (text.empty() ? "" : ", ") + show(word);
    return text;
  }
  if (field.contains("const")) return show(field["const"]);
  const auto bound = [&](const char* key, const char* words) {
    if (!field.contains(key)) return;
    text += std::format("{}{} {}", text.empty() ? "" : ", ", words, show(field[key]));
  };
  bound("minimum", "at least");
  bound("exclusiveMinimum", "more than");
  bound("maximum", "at most");
  return text;
}

std::string type_of(const ordered_json& field) {
  const std::string type = field["type"];
  if (type == "array" && field["items"].contains("properties")) return "list of groups";
  if (type == "array") return std::format("list of {}s", field["items"]["type"].get<std::string>());
  if (type == "object" && !field.contains("properties")) {
    const auto& inner = field["additionalProperties"];
    return inner.contains("properties") ? "name: group" : std::format("name: {}", inner["type"].get<std::string>());
  }
  return type == "object" ? "group" : type;
}

void rows(const ordered_json& schema, const std::string& prefix, std::string& out) {
  const auto required = schema.value("required", ordered_json::array());
  for (const auto& [name, field] : schema["properties"].items()) {
    const bool needed = std::ranges::find(required, ordered_json(name)) != required.end();
    const std::string standard = needed ? "required" : field.contains("default") ? show(field["default"]) : "";
    out += std::format("| `{}{}` | {} | {} | {} | {} |\n", prefix, name, type_of(field), escaped(standard),
                       escaped(allowed(field)), escaped(field["description"]));
    if (field.contains("properties")) rows(field, std::format("{}{}.", prefix, name), out);
    if (field.contains("items") && field["items"].contains("properties"))
      rows(field["items"], std::format("{}{}[].", prefix, name), out);
    if (field.contains("additionalProperties") && field["additionalProperties"].is_object() &&
        field["additionalProperties"].contains("properties"))
      rows(field["additionalProperties"], std::format("{}{}.NAME.", prefix, name), out);
  }
}

}  // namespace

std::string reference_page() {
  std::string page =
      "# Configuration reference\n\n"
      "Made from the schemas that the files are checked with; after a change of them:\n"
      "`rltune config schema --reference --out docs/config.md`.\n\n"
      "A site's folder holds up to one file of each kind. Unknown fields, wrong types and values out of bounds are\n"
      "refused with file, line and field. Passwords and tokens are never written in them: `*_file` names a file that\n"
      "holds one (in the folder or absolute, never through `..`), `*_env` an environment variable. How to change a\n"
      "configuration: [operations](operations.md#changing-the-configuration).\n";
  for (const Kind kind : kinds()) {
    const Schema schema{kind, newest_version(kind)};
    page += std::format("\n## {}\n`schema: {}`", file_name(kind), to_string(schema));
    if (schema.version > 1)
      page += std::format("; files of version{} 1{} are taken as they are", schema.version > 2 ? "s" : "",
                          schema.version > 2 ? std::format(" to {}", schema.version - 1) : "");
    page += "\n\n| field | type | default | allowed | what it is |\n|---|---|---|---|---|\n";
    rows(ordered_json::parse(json_schema(schema)), "", page);
  }
  return page;
}

}  // namespace rltune::config
