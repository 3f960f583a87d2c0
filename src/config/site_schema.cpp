#include <nlohmann/json.hpp>

#include "field_reader.hpp"
#include "rltune/base/file.hpp"
#include "rltune/config/site.hpp"
#include "schema_writer.hpp"
#include "site_check.hpp"

namespace rltune::config {

Result<Site> parse_site(const std::string& yaml, const std::filesystem::path& name_in_errors) {
  const auto tree = parse_yaml(yaml, name_in_errors.string());
  if (!tree) return std::unexpected(tree.error());
  Faults faults(name_in_errors.string());
  Site site;
  FieldReader::read(*tree, "", faults, site);
  if (tree->kind == YamlNode::Kind::map) check_site(site, faults);
  if (!faults.empty()) return std::unexpected(faults.error());
  return site;
}

Result<Site> load_site(const std::filesystem::path& file) {
  const auto text = read_file(file);
  if (!text) return std::unexpected(text.error());
  auto site = parse_site(*text, file);
  if (site) site->folder = std::filesystem::absolute(file).parent_path();
  return site;
}

std::string site_json_schema() {
  SchemaWriter writer;
  Site defaults;
  describe(writer, defaults);
  nlohmann::ordered_json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                                {"$id", "urn:rltune:schema:site:v1"},
                                {"title", "RLTune site"}};
  schema.update(writer.take());
  return schema.dump(2) + "\n";
}

}  // namespace rltune::config
