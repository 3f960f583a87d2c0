#include "rltune/controllers/controller_file.hpp"

#include <yaml-cpp/yaml.h>

#include <cmath>
#include <format>
#include <set>

#include "rltune/base/file.hpp"

namespace rltune::controllers {
namespace {

constexpr const char* kSchema = "rltune/controller/v1";

// Thrown and caught inside this file: yaml-cpp throws already.
struct Fault {
  int line = 0;
  std::string message;
};

std::string text(const YAML::Node& node, const std::string& field) {
  if (!node.IsScalar()) throw Fault{node.Mark().line, field + ": wants a text"};
  return node.Scalar();
}

double number(const YAML::Node& node, const std::string& field) {
  double value = 0.0;
  if (!node.IsScalar() || !YAML::convert<double>::decode(node, value) || !std::isfinite(value))
    throw Fault{node.Mark().line, field + ": wants a finite number"};
  return value;
}

template <typename Read>
auto read_map(const YAML::Node& node, const std::string& field, const Read& read) {
  std::map<std::string, decltype(read(node, field))> values;
  if (!node.IsMap()) throw Fault{node.Mark().line, field + ": wants names with values"};
  for (const auto& entry : node) {
    const std::string name = text(entry.first, field);
    if (!values.emplace(name, read(entry.second, field + "." + name)).second)
      throw Fault{entry.first.Mark().line, std::format("{}.{}: stands here twice", field, name)};
  }
  return values;
}

ControllerFile read(const YAML::Node& root) {
  if (!root.IsMap()) throw Fault{0, "wants the fields schema, plant, controller, parameters"};
  ControllerFile file;
  std::set<std::string> seen;
  for (const auto& entry : root) {
    const std::string field = text(entry.first, "field");
    if (!seen.insert(field).second) throw Fault{entry.first.Mark().line, field + ": stands here twice"};
    if (field == "schema") {
      if (text(entry.second, field) != kSchema)
        throw Fault{entry.second.Mark().line, std::format("schema: wants {}", kSchema)};
    } else if (field == "plant") {
      file.plant = text(entry.second, field);
    } else if (field == "controller") {
      file.controller = text(entry.second, field);
    } else if (field == "parameters") {
      file.parameters = read_map(entry.second, field, number);
    } else if (field == "tuning") {
      file.tuning = read_map(entry.second, field, text);
    } else {
      throw Fault{entry.first.Mark().line,
                  std::format("unknown field '{}'; there are: schema, plant, controller, parameters, tuning", field)};
    }
  }
  for (const char* needed : {"schema", "plant", "controller"})
    if (!seen.contains(needed)) throw Fault{0, std::format("the field '{}' is missing", needed)};
  return file;
}

}  // namespace

Result<ControllerFile> load_controller_file(const std::filesystem::path& path) {
  const auto bytes = read_file(path);
  if (!bytes) return std::unexpected(bytes.error());
  try {
    return read(YAML::Load(*bytes));
  } catch (const Fault& fault) {
    return fail(Errc::parse, std::format("{}:{}: {}", path.string(), fault.line + 1, fault.message));
  } catch (const YAML::Exception& error) {
    return fail(Errc::parse, std::format("{}:{}: {}", path.string(), error.mark.line + 1, error.msg));
  }
}

Result<> save_controller_file(const std::filesystem::path& path, const ControllerFile& file) {
  YAML::Emitter out;
  out << YAML::BeginMap << YAML::Key << "schema" << YAML::Value << kSchema << YAML::Key << "plant" << YAML::Value
      << file.plant << YAML::Key << "controller" << YAML::Value << file.controller << YAML::Key << "parameters"
      << YAML::Value << YAML::BeginMap;
  // The shortest text that reads back as the same number.
  for (const auto& [name, value] : file.parameters) out << YAML::Key << name << YAML::Value << std::format("{}", value);
  out << YAML::EndMap;
  if (!file.tuning.empty()) out << YAML::Key << "tuning" << YAML::Value << file.tuning;
  out << YAML::EndMap;
  return write_file(path, std::string(out.c_str()) + "\n");
}

}  // namespace rltune::controllers
