#include "rltune/config/document.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <format>
#include <nlohmann/json.hpp>

#include "document_reader.hpp"
#include "rltune/base/check.hpp"
#include "rltune/base/file.hpp"
#include "schema_writer.hpp"
#include "words.hpp"

namespace rltune::config {
namespace {

struct KindWords {
  Kind kind;
  std::string_view name;
  std::span<const Synonym> schemas;  // oldest first
};
constexpr std::array kKindWords{
    KindWords{Kind::site, "site", kSiteSchemas}, KindWords{Kind::users, "users", kUsersSchemas},
    KindWords{Kind::retention, "retention", kRetentionSchemas}, KindWords{Kind::alerts, "alerts", kAlertsSchemas},
    KindWords{Kind::telemetry, "telemetry", kTelemetrySchemas}};
constexpr std::array kKinds{Kind::site, Kind::users, Kind::retention, Kind::alerts, Kind::telemetry};

const KindWords& words_of(Kind kind) { return *std::ranges::find(kKindWords, kind, &KindWords::kind); }

std::vector<std::string_view> kind_names() {
  std::vector<std::string_view> names;
  for (const KindWords& words : kKindWords) names.push_back(words.name);
  return names;
}

std::vector<std::string_view> schema_names() {
  std::vector<std::string_view> names;
  for (const KindWords& words : kKindWords)
    for (const Synonym& schema : words.schemas) names.push_back(schema.text);
  return names;
}

// The value of the root's field 'schema', or nothing.
const YamlNode* schema_node(const YamlNode& tree) {
  const auto found = std::ranges::find(tree.keys, "schema");
  return found == tree.keys.end() ? nullptr : &tree.items[static_cast<std::size_t>(found - tree.keys.begin())];
}

std::optional<Schema> schema_in(const YamlNode& tree) {
  const YamlNode* node = schema_node(tree);
  if (node == nullptr || node->kind != YamlNode::Kind::scalar) return std::nullopt;
  for (const KindWords& words : kKindWords)
    if (const auto found = std::ranges::find(words.schemas, node->scalar, &Synonym::text); found != words.schemas.end())
      return Schema{words.kind, static_cast<int>(found - words.schemas.begin()) + 1};
  return std::nullopt;
}

Fault no_schema(const YamlNode& tree) {
  if (tree.kind != YamlNode::Kind::map) return {tree.line, "", "must be a group of fields, the first of them 'schema'"};
  const YamlNode* node = schema_node(tree);
  const std::vector<std::string_view> names = schema_names();
  if (node == nullptr)
    return {1, "schema", std::format("the field 'schema' is missing; it is one of {}", list_of(names))};
  return {node->line, "schema", std::format("'{}' is not one of {}", shown(node->scalar), list_of(names))};
}

// The text with its schema replaced by `to`, where it stands.
Result<std::string> with_schema(const std::string& yaml, const std::string& name, const YamlNode& tree, Schema to) {
  const YamlNode& node = *schema_node(tree);
  std::size_t line_start = 0;
  for (int line = 1; line < node.line; ++line) line_start = yaml.find('\n', line_start) + 1;
  const std::size_t at = yaml.find(node.scalar, line_start);
  if (at == std::string::npos || at > yaml.find('\n', line_start))
    return fail(Errc::invalid_argument, std::format("{}:{}: schema: write it on one line", name, node.line));
  std::string changed = yaml;
  return changed.replace(at, node.scalar.size(), to_string(to));
}

}  // namespace

std::span<const Kind> kinds() noexcept { return kKinds; }
std::string_view to_string(Kind kind) noexcept { return words_of(kind).name; }
int newest_version(Kind kind) noexcept { return static_cast<int>(words_of(kind).schemas.size()); }
std::string to_string(Schema schema) { return std::format("rltune/{}/v{}", to_string(schema.kind), schema.version); }
std::string file_name(Kind kind) { return std::format("{}.yaml", to_string(kind)); }

Result<Kind> parse_kind(std::string_view word) {
  const auto found = std::ranges::find(kKindWords, word, &KindWords::name);
  if (found != kKindWords.end()) return found->kind;
  return fail(Errc::invalid_argument,
              std::format("there is no kind '{}' of configuration; there are {}", shown(word), list_of(kind_names())));
}

int version_in(const YamlNode& tree, Kind kind) {
  const auto schema = schema_in(tree);
  return schema && schema->kind == kind ? schema->version : newest_version(kind);
}

Checked check(const std::string& yaml) {
  const auto tree = parse_yaml(yaml);
  if (!tree) return {{}, {tree.error()}};
  const auto schema = schema_in(*tree);
  if (!schema) return {{}, {no_schema(*tree)}};
  Faults faults("", schema->version);
  with_kind(schema->kind, [&]<typename T>(T) { read_document<T>(*tree, faults); });
  return {*schema, faults.sorted()};
}

Result<std::string> load_text(const std::filesystem::path& file) {
  std::error_code code;
  const auto status = std::filesystem::status(file, code);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    return fail(Errc::io, std::format("{} is not a file that holds text", file.string()));
  if (const auto size = std::filesystem::file_size(file, code); !code && size > kYamlBytesMax)
    return fail(Errc::io, std::format("{}:1: larger than {} KiB: this is not a file that a person wrote", file.string(),
                                      kYamlBytesMax / 1024));
  return read_file(file);
}

std::string json_schema(Schema schema) {
  RLTUNE_CHECK(schema.version >= 1 && schema.version <= newest_version(schema.kind));
  SchemaWriter writer(schema.version);
  with_kind(schema.kind, [&](auto defaults) { describe(writer, defaults); });
  nlohmann::ordered_json out{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                             {"$id", std::format("urn:rltune:schema:{}:v{}", to_string(schema.kind), schema.version)},
                             {"title", std::format("RLTune {}", to_string(schema.kind))}};
  out.update(writer.take());
  return out.dump(2) + "\n";
}

Result<std::string> migrate(const std::string& yaml, const std::string& name, int version) {
  const Checked checked = check(yaml);
  if (!checked.faults.empty()) return fail(Errc::invalid_argument, to_text(name, checked.faults));
  const Kind kind = checked.schema.kind;
  if (version < 1 || version > newest_version(kind))
    return fail(Errc::invalid_argument, std::format("{}: there is no version {} of {}; there are 1 to {}", name,
                                                    version, to_string(kind), newest_version(kind)));
  if (version == checked.schema.version) return yaml;
  auto changed = with_schema(yaml, name, *parse_yaml(yaml), {kind, version});
  if (!changed) return changed;
  // What the other version has no place for is refused here, by the field's name.
  if (const Checked again = check(*changed); !again.faults.empty())
    return fail(Errc::invalid_argument, to_text(name, again.faults));
  return changed;
}

Result<Users> load_users(const std::filesystem::path& file) { return load_document<Users>(Kind::users, file); }
Result<Retention> load_retention(const std::filesystem::path& file) {
  return load_document<Retention>(Kind::retention, file);
}
Result<Alerts> load_alerts(const std::filesystem::path& file) { return load_document<Alerts>(Kind::alerts, file); }
Result<Alerts> parse_alerts(const std::string& yaml, const std::string& name_in_errors) {
  return parse_document<Alerts>(Kind::alerts, yaml, name_in_errors);
}
std::string level_of(const Telemetry& telemetry, const std::string& role) {
  const auto own = telemetry.levels.find(role.substr(0, role.find('.')));
  return own == telemetry.levels.end() ? telemetry.level : own->second;
}
std::vector<Sink> sinks_of(const Telemetry& telemetry) {
  std::vector<Sink> sinks = telemetry.sinks;
  const Forward& forward = telemetry.forward;
  if (!forward.enabled) return sinks;
  sinks.push_back({.name = "forward",
                   .url = forward.url,
                   .authentication = "bearer",
                   .secret_file = forward.token_file,
                   .secret_env = forward.token_env,
                   .interval_s = forward.interval_s});
  return sinks;
}
Result<Telemetry> load_telemetry(const std::filesystem::path& file) {
  return load_document<Telemetry>(Kind::telemetry, file);
}

Result<Site> parse_site(const std::string& yaml, const std::filesystem::path& name_in_errors) {
  return parse_document<Site>(Kind::site, yaml, name_in_errors.string());
}

Result<Site> load_site(const std::filesystem::path& file) {
  auto site = load_document<Site>(Kind::site, file);
  if (site) site->folder = std::filesystem::absolute(file).parent_path();
  return site;
}

}  // namespace rltune::config
