#include "rltune/api/json.hpp"

#include <algorithm>
#include <cmath>
#include <format>
#include <set>

namespace rltune::api {
namespace {

constexpr int kDepthMax = 32;

// Stops at the first name that stands twice in an object, and at the first level that is too deep.
class Strictness {
 public:
  bool operator()(int depth, Json::parse_event_t event, const Json& node) {
    if (!fault_.empty()) return false;
    switch (event) {
      case Json::parse_event_t::object_start:
      case Json::parse_event_t::array_start:
        if (depth >= kDepthMax) fault_ = std::format("more than {} levels deep", kDepthMax);
        names_.emplace_back();
        break;
      case Json::parse_event_t::object_end:
      case Json::parse_event_t::array_end:
        names_.pop_back();
        break;
      case Json::parse_event_t::key:
        if (!names_.back().insert(node.get<std::string>()).second) fault_ = "a name stands twice in an object";
        break;
      case Json::parse_event_t::value:
        break;
    }
    return fault_.empty();
  }
  const std::string& fault() const noexcept { return fault_; }

 private:
  std::vector<std::set<std::string>> names_;
  std::string fault_;
};

std::string any_of(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return "one of " + text;
}

}  // namespace

std::expected<Json, Faults> parse_strictly(std::string_view text) {
  Strictness strictness;
  Json found = Json::parse(text, std::ref(strictness), false);
  if (!strictness.fault().empty()) return std::unexpected(Faults{{"", strictness.fault()}});
  if (found.is_discarded()) return std::unexpected(Faults{{"", "this is not JSON"}});
  return found;
}

Faults bounded(Faults faults) {
  if (faults.size() > kFaultsMax) faults.resize(kFaultsMax);
  for (Fault& fault : faults)
    for (std::string* where : {&fault.pointer, &fault.parameter})
      if (where->size() > kPointerMax) where->resize(kPointerMax);
  return faults;
}

std::string below(std::string_view pointer, std::string_view name) {
  std::string text(pointer);
  text += '/';
  for (const char c : name) text += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return text;
}

JsonReader::JsonReader(const Json& tree, std::string pointer, Faults& faults)
    : tree_(tree), pointer_(std::move(pointer)), faults_(faults) {
  expect(tree_.is_object(), pointer_, "an object");
}

const Json* JsonReader::find(std::string_view name) {
  known_.emplace_back(name);
  if (!tree_.is_object()) return nullptr;
  const auto found = tree_.find(known_.back());
  return found == tree_.end() ? nullptr : &*found;
}

void JsonReader::end() {
  if (!tree_.is_object()) return;
  for (const auto& [name, node] : tree_.items())
    if (std::ranges::find(known_, name) == known_.end()) faults_.push_back({pointer_of(name), "is not known here"});
}

bool JsonReader::expect(bool ok, const std::string& pointer, std::string_view what) {
  if (!ok) faults_.push_back({pointer, std::format("has to be {}", what)});
  return ok;
}

bool JsonReader::fits(std::size_t size, const std::string& pointer, const Rule& rule, std::string_view unit) {
  if (size <= rule.length_max) return true;
  faults_.push_back({pointer, std::format("has {} {}; {} are allowed", size, unit, rule.length_max)});
  return false;
}

void JsonReader::read(const Json& node, const std::string& pointer, std::string& value, const Rule& rule) {
  if (!expect(node.is_string(), pointer, "a text")) return;
  const auto& text = node.get_ref<const std::string&>();
  if (!fits(text.size(), pointer, rule, "bytes")) return;
  if (!rule.words.empty() && !expect(std::ranges::contains(rule.words, text), pointer, any_of(rule.words))) return;
  value = text;
}

void JsonReader::read(const Json& node, const std::string& pointer, double& value, const Rule& rule) {
  if (!expect(node.is_number(), pointer, "a number")) return;
  const auto number = node.get<double>();
  if (!std::isfinite(number) || number < rule.low || number > rule.high)
    return faults_.push_back({pointer, std::format("has to be between {} and {}", rule.low, rule.high)});
  value = number;
}

void JsonReader::read(const Json& node, const std::string& pointer, std::uint64_t& value, const Rule& rule) {
  if (!expect(node.is_number_unsigned(), pointer, "a whole number that is not negative")) return;
  const auto number = node.get<std::uint64_t>();
  if (static_cast<double>(number) < rule.low || static_cast<double>(number) > rule.high)
    return faults_.push_back({pointer, std::format("has to be between {} and {}", rule.low, rule.high)});
  value = number;
}

void JsonReader::read(const Json& node, const std::string& pointer, bool& value, const Rule&) {
  if (expect(node.is_boolean(), pointer, "true or false")) value = node.get<bool>();
}

void JsonReader::read(const Json& node, const std::string& pointer, TimePoint& value, const Rule&) {
  if (!expect(node.is_string(), pointer, "a time as 2026-05-01T12:00:00Z")) return;
  const auto time = parse_rfc3339(node.get_ref<const std::string&>());
  if (expect(time.has_value(), pointer, "a time as 2026-05-01T12:00:00Z")) value = *time;
}

}  // namespace rltune::api
