// The YAML of a Randomisation, schema rltune/randomisation/v1: strict, and errors know their line.
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <format>
#include <functional>
#include <map>

#include "rltune/base/file.hpp"
#include "rltune/env/randomisation.hpp"

namespace rltune::env {
namespace {

constexpr std::string_view kSchema = "rltune/randomisation/v1";

// Thrown inside, caught in parse_randomisation: the way out of nested readers, as yaml-cpp's own errors are.
struct Refused {
  Error error;
};

class Reader {
 public:
  Reader(std::string file, const PlantSpec& plant) : file_(std::move(file)), plant_(plant) {}

  Randomisation read(const YAML::Node& root) const {
    Randomisation made;
    fields(root, "",
           {{"schema", [&](const YAML::Node& node, const std::string& path) { expect(node, path, kSchema); }},
            {"plant", [&](const YAML::Node& node, const std::string& path) { expect(node, path, plant_.name); }},
            {"parameters", [&](const YAML::Node& node, const std::string& path) { parameters(node, path, made); }},
            {"parameter_noise",
             [&](const YAML::Node& node, const std::string& path) { made.parameter_noise = number(node, path); }},
            {"action_delay_steps",
             [&](const YAML::Node& node, const std::string& path) { made.action_delay_steps = range(node, path); }},
            {"sensor_noise", [&](const YAML::Node& node, const std::string& path) { sensor_noise(node, path, made); }},
            {"sensor_dropouts",
             [&](const YAML::Node& node, const std::string& path) { sensor_dropouts(node, path, made); }},
            {"exogenous", [&](const YAML::Node& node, const std::string& path) { exogenous(node, path, made); }},
            {"start_dates",
             [&](const YAML::Node& node, const std::string& path) { made.start_dates = window(node, path); }}});
    if (!root["schema"]) refuse(root, "schema", std::format("is missing; write schema: {}", kSchema));
    return made;
  }

 private:
  using Field = std::function<void(const YAML::Node&, const std::string&)>;

  [[noreturn]] void refuse(const YAML::Node& node, const std::string& path, const std::string& why,
                           Errc code = Errc::parse) const {
    throw Refused{
        {code, std::format("{}: line {}: {}: {}", file_, node.Mark().line + 1, path.empty() ? "document" : path, why)}};
  }

  // Every entry of a map goes to the field of its name; any other name is an error.
  void fields(const YAML::Node& node, const std::string& path, const std::map<std::string, Field>& known) const {
    entries(node, path,
            [&](const std::string& name, const YAML::Node& key, const YAML::Node& value, const std::string& inner) {
              const auto field = known.find(name);
              if (field == known.end()) {
                std::string names;
                for (const auto& entry : known) names += (names.empty() ? "" : ", ") + entry.first;
                refuse(key, inner, "unknown field; there are: " + names);
              }
              field->second(value, inner);
            });
  }

  template <typename Visit>
  void entries(const YAML::Node& node, const std::string& path, Visit visit) const {
    if (!node.IsMap()) refuse(node, path, "a map of names is wanted");
    std::vector<std::string> seen;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) refuse(entry.first, path, "a name is wanted");
      const std::string name = entry.first.Scalar();
      const std::string inner = path.empty() ? name : std::format("{}.{}", path, name);
      if (std::ranges::find(seen, name) != seen.end()) refuse(entry.first, inner, "stands here twice");
      seen.push_back(name);
      visit(name, entry.first, entry.second, inner);
    }
  }

  template <typename Named>
  void known_name(const YAML::Node& key, const std::string& path, const std::vector<Named>& known,
                  const std::string& name) const {
    if (std::ranges::find(known, name, &Named::name) != known.end()) return;
    std::string names;
    for (const Named& one : known) names += (names.empty() ? "" : ", ") + one.name;
    refuse(key, path, std::format("the plant '{}' has no such name; it has: {}", plant_.name, names), Errc::not_found);
  }

  void expect(const YAML::Node& node, const std::string& path, std::string_view wanted) const {
    if (!node.IsScalar() || node.Scalar() != wanted) refuse(node, path, std::format("must be '{}'", wanted));
  }

  double number(const YAML::Node& node, const std::string& path) const {
    double value = 0.0;
    if (!node.IsScalar() || !YAML::convert<double>::decode(node, value) || !std::isfinite(value))
      refuse(node, path, "a number is wanted");
    return value;
  }

  std::size_t count(const YAML::Node& node, const std::string& path) const {
    const double value = number(node, path);
    if (value < 0.0 || value > 1e6 || value != std::floor(value))
      refuse(node, path, "a whole number, 0 or more, is wanted");
    return static_cast<std::size_t>(value);
  }

  std::array<double, 2> pair(const YAML::Node& node, const std::string& path) const {
    if (!node.IsSequence() || node.size() != 2) refuse(node, path, "two numbers are wanted: [a, b]");
    return {number(node[0], path), number(node[1], path)};
  }

  std::array<std::size_t, 2> range(const YAML::Node& node, const std::string& path) const {
    if (!node.IsSequence() || node.size() != 2) refuse(node, path, "two whole numbers are wanted: [shortest, longest]");
    return {count(node[0], path), count(node[1], path)};
  }

  Distribution distribution(const YAML::Node& node, const std::string& path) const {
    Distribution made;
    const auto as = [&](Distribution::Kind kind) {
      return [&made, kind, this](const YAML::Node& value, const std::string& inner) {
        const auto [first, second] = pair(value, inner);
        made = {kind, first, second};
      };
    };
    fields(node, path,
           {{"uniform", as(Distribution::Kind::uniform)},
            {"normal", as(Distribution::Kind::normal)},
            {"either", as(Distribution::Kind::either)}});
    if (node.size() != 1)
      refuse(node, path, "one of uniform: [low, high], normal: [mean, deviation], either: [low, high] is wanted");
    return made;
  }

  void parameters(const YAML::Node& node, const std::string& path, Randomisation& made) const {
    entries(node, path,
            [&](const std::string& name, const YAML::Node& key, const YAML::Node& value, const std::string& inner) {
              if (name == "all") {
                made.all_parameters = distribution(value, inner);
                return;
              }
              known_name(key, inner, plant_.parameters, name);
              made.parameters[name] = distribution(value, inner);
            });
  }

  void sensor_noise(const YAML::Node& node, const std::string& path, Randomisation& made) const {
    entries(
        node, path,
        [&](const std::string& name, const YAML::Node& key, const YAML::Node& value, const std::string& inner) {
          known_name(key, inner, plant_.measurements, name);
          SensorNoise& noise = made.sensor_noise[name];
          fields(
              value, inner,
              {{"absolute", [&](const YAML::Node& one, const std::string& at) { noise.absolute = number(one, at); }},
               {"relative", [&](const YAML::Node& one, const std::string& at) { noise.relative = number(one, at); }}});
        });
  }

  void sensor_dropouts(const YAML::Node& node, const std::string& path, Randomisation& made) const {
    entries(node, path,
            [&](const std::string& name, const YAML::Node& key, const YAML::Node& value, const std::string& inner) {
              known_name(key, inner, plant_.measurements, name);
              Dropout& dropout = made.sensor_dropouts[name];
              fields(
                  value, inner,
                  {{"probability",
                    [&](const YAML::Node& one, const std::string& at) { dropout.probability = number(one, at); }},
                   {"steps", [&](const YAML::Node& one, const std::string& at) { dropout.steps = range(one, at); }}});
            });
  }

  void exogenous(const YAML::Node& node, const std::string& path, Randomisation& made) const {
    entries(
        node, path,
        [&](const std::string& name, const YAML::Node& key, const YAML::Node& value, const std::string& inner) {
          known_name(key, inner, plant_.exogenous, name);
          ExogenousShift& shift = made.exogenous[name];
          fields(
              value, inner,
              {{"factor", [&](const YAML::Node& one, const std::string& at) { shift.factor = distribution(one, at); }},
               {"offset", [&](const YAML::Node& one, const std::string& at) { shift.offset = distribution(one, at); }},
               {"drift", [&](const YAML::Node& one, const std::string& at) { shift.drift = drift(one, at); }}});
        });
  }

  Drift drift(const YAML::Node& node, const std::string& path) const {
    Drift made;
    fields(node, path,
           {{"steps", [&](const YAML::Node& one, const std::string& at) { made.steps = range(one, at); }},
            {"slope", [&](const YAML::Node& one, const std::string& at) { made.slope = distribution(one, at); }},
            {"flat", [&](const YAML::Node& one, const std::string& at) { made.flat = number(one, at); }}});
    return made;
  }

  StartWindow window(const YAML::Node& node, const std::string& path) const {
    StartWindow made;
    fields(node, path,
           {{"from", [&](const YAML::Node& one, const std::string& at) { made.from = month_day(one, at); }},
            {"to", [&](const YAML::Node& one, const std::string& at) { made.to = month_day(one, at); }}});
    return made;
  }

  std::array<unsigned, 2> month_day(const YAML::Node& node, const std::string& path) const {
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
    if (text.size() == 5 && digit(0) && digit(1) && text[2] == '-' && digit(3) && digit(4)) {
      const auto two = [&](std::size_t at) {
        return static_cast<unsigned>((text[at] - '0') * 10 + (text[at + 1] - '0'));
      };
      const std::chrono::month_day date{std::chrono::month{two(0)}, std::chrono::day{two(3)}};
      if (date.ok()) return {two(0), two(3)};
    }
    refuse(node, path, "a month and a day are wanted: \"02-09\"");
  }

  std::string file_;
  const PlantSpec& plant_;
};

}  // namespace

Result<Randomisation> parse_randomisation(std::string_view yaml, const std::string& name, const PlantSpec& plant) {
  try {
    Randomisation made = Reader(name, plant).read(YAML::Load(std::string(yaml)));
    if (auto done = check_randomisation(made, plant); !done)
      return fail(done.error().code, name + ": " + done.error().message);
    return made;
  } catch (const Refused& refused) {
    return std::unexpected(refused.error);
  } catch (const YAML::Exception& error) {
    return fail(Errc::parse, std::format("{}: line {}: {}", name, error.mark.line + 1, error.msg));
  }
}

Result<Randomisation> load_randomisation(const std::filesystem::path& path, const PlantSpec& plant) {
  const auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  return parse_randomisation(*text, path.string(), plant);
}

}  // namespace rltune::env
