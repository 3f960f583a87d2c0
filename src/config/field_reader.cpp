#include "field_reader.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <format>

#include "rltune/config/secret.hpp"
#include "words.hpp"

namespace rltune::config {
namespace {

std::string kind_of(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "nothing";
    case YamlNode::Kind::scalar:
      return std::format("'{}'", shown(node.scalar));
    case YamlNode::Kind::sequence:
      return "a list";
    case YamlNode::Kind::map:
      return "a group of fields";
  }
  return "nothing";
}

std::optional<double> parse_number(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::scalar || node.quoted || node.scalar.empty()) return std::nullopt;
  const char* begin = node.scalar.data();
  const char* end = begin + node.scalar.size();
  if (*begin == '+' && node.scalar.size() > 1 && node.scalar[1] != '-') ++begin;
  double value = 0.0;
  const auto [stopped, code] = std::from_chars(begin, end, value);
  if (code != std::errc{} || stopped != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

bool read_text(const YamlNode& node, const std::string& path, Faults& faults, std::string& out) {
  if (node.kind != YamlNode::Kind::scalar) {
    faults.add_at(node.line, path, std::format("must be a text, not {}", kind_of(node)));
    return false;
  }
  if (const auto secret = secret_in(node.scalar); !secret.empty()) {
    faults.add_at(node.line, path,
                  std::format("holds {}: that has no place in a configuration; name the file (password_file) or the "
                              "environment variable (password_env) that holds it",
                              secret));
    return false;
  }
  out = node.scalar;
  return true;
}

std::string show_bounds(const Bounds& bounds) {
  const bool has_low = bounds.low > std::numeric_limits<double>::lowest();
  const bool has_high = bounds.high < std::numeric_limits<double>::max();
  const std::string low =
      has_low ? std::format("{} {}", bounds.low_open ? "more than" : "at least", show_number(bounds.low)) : "";
  const std::string high = has_high ? std::format("at most {}", show_number(bounds.high)) : "";
  return low + (has_low && has_high ? " and " : "") + high;
}

bool read_number(const YamlNode& node, const std::string& path, const Bounds& bounds, Faults& faults, double& out) {
  const auto value = parse_number(node);
  if (!value) {
    const char* hint = node.quoted && node.kind == YamlNode::Kind::scalar ? ": write it without quotes" : "";
    faults.add_at(node.line, path, std::format("must be a finite number, not {}{}", kind_of(node), hint));
    return false;
  }
  if (*value < bounds.low || *value > bounds.high || (bounds.low_open && *value == bounds.low)) {
    faults.add_at(node.line, path, std::format("{} must be {}", show_number(*value), show_bounds(bounds)));
    return false;
  }
  out = *value;
  return true;
}

}  // namespace

FieldReader::FieldReader(const YamlNode& node, std::string path, Faults& faults)
    : node_(node), path_(std::move(path)), faults_(faults) {}

std::string FieldReader::child(std::string_view name) const {
  return path_.empty() ? std::string(name) : std::format("{}.{}", path_, name);
}

std::string FieldReader::item(std::string_view name, std::size_t index) const {
  return std::format("{}[{}]", child(name), index);
}

bool FieldReader::expect_map(const YamlNode& node, const std::string& path, Faults& faults) {
  if (node.kind == YamlNode::Kind::map) return true;
  faults.add_at(node.line, path, std::format("must be a group of fields, not {}", kind_of(node)));
  return false;
}

const YamlNode* FieldReader::take(std::string_view name, Need need) {
  known_.push_back(name);
  const auto found = std::ranges::find(node_.keys, name);
  if (found == node_.keys.end()) {
    if (need == Need::required) faults_.add(path_, std::format("the field '{}' is missing", name));
    return nullptr;
  }
  const auto index = static_cast<std::size_t>(found - node_.keys.begin());
  faults_.set_line(child(name), node_.key_lines[index]);
  if (node_.items[index].kind == YamlNode::Kind::null) {
    faults_.add(child(name), "has no value: give one, or remove the line");
    return nullptr;
  }
  return &node_.items[index];
}

const YamlNode* FieldReader::take_list(std::string_view name, Need need) {
  const YamlNode* node = take(name, need);
  if (node == nullptr || node->kind == YamlNode::Kind::sequence) return node;
  faults_.add(child(name), std::format("must be a list, not {}", kind_of(*node)));
  return nullptr;
}

const YamlNode* FieldReader::take_map(std::string_view name) {
  const YamlNode* node = take(name, Need::optional);
  return node != nullptr && expect_map(*node, child(name), faults_) ? node : nullptr;
}

void FieldReader::text(std::string_view name, std::string& out, Need need, std::string_view) {
  const YamlNode* node = take(name, need);
  if (node == nullptr || !read_text(*node, child(name), faults_, out)) return;
  if (need == Need::required && out.empty()) faults_.add(child(name), "must not be empty");
}

void FieldReader::path(std::string_view name, std::filesystem::path& out, Need need, std::string_view note) {
  std::string written = out.string();
  text(name, written, need, note);
  out = written;
}

void FieldReader::schema(std::string& out, std::span<const Synonym> words) {
  word("schema", out, words, "", Need::required);
}

bool FieldReader::since(int version, std::string_view name) {
  if (faults_.version() >= version) return true;
  later_.emplace(name, version);
  return false;
}

// A reference must not be able to name what lies around the site's folder: the file is read with our rights.
void FieldReader::secret_file(std::string_view name, std::filesystem::path& out, std::string_view note) {
  path(name, out, Need::optional, note);
  const bool leaves = std::ranges::find(out, std::filesystem::path("..")) != out.end();
  const bool odd = std::ranges::any_of(out.string(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (leaves) faults_.add(child(name), "must not hold '..': name a file in the site's folder, or an absolute path");
  if (odd) faults_.add(child(name), "holds a control character; a path is one line of text");
  if (!out.empty() && !out.has_filename()) faults_.add(child(name), "must name a file, not a folder");
  if (leaves || odd) out.clear();
}

// Names of variables are upper case by custom, which tells them from most passwords.
void FieldReader::secret_variable(std::string_view name, std::string& out, std::string_view note) {
  text(name, out, Need::optional, note);
  const auto allowed = [](unsigned char c) { return std::isupper(c) != 0 || std::isdigit(c) != 0 || c == '_'; };
  if (out.empty()) return;
  if (std::ranges::all_of(out, allowed) && std::isdigit(static_cast<unsigned char>(out[0])) == 0) return;
  faults_.add(child(name),
              "must be the name of an environment variable (capital letters, digits and _), never the secret itself");
  out.clear();
}

void FieldReader::number(std::string_view name, double& out, const Bounds& bounds, Need need, std::string_view) {
  if (const YamlNode* node = take(name, need)) read_number(*node, child(name), bounds, faults_, out);
}

void FieldReader::count(std::string_view name, std::size_t& out, const Bounds& bounds, std::string_view) {
  const YamlNode* node = take(name, Need::optional);
  double value = 0.0;
  if (node == nullptr || !read_number(*node, child(name), bounds, faults_, value)) return;
  if (value != std::floor(value)) return faults_.add(child(name), std::format("{} must be a whole number", value));
  out = static_cast<std::size_t>(value);
}

void FieldReader::flag(std::string_view name, bool& out, std::string_view) {
  const YamlNode* node = take(name, Need::optional);
  if (node == nullptr) return;
  if (node->kind == YamlNode::Kind::scalar && !node->quoted && (node->scalar == "true" || node->scalar == "false"))
    out = node->scalar == "true";
  else
    faults_.add(child(name), std::format("{} is not one of true, false", kind_of(*node)));
}

std::string FieldReader::refuse_word(std::string_view given, std::span<const std::string_view> allowed) const {
  return std::format("'{}' is not one of {}", shown(given), list_of(allowed));
}

std::optional<int> FieldReader::choose(std::string_view name, std::span<const Word> words) {
  const YamlNode* node = take(name, Need::optional);
  std::string given;
  if (node == nullptr || !read_text(*node, child(name), faults_, given)) return std::nullopt;
  std::vector<std::string_view> allowed;
  for (const Word& word : words) {
    if (word.text == given) return word.value;
    allowed.push_back(word.text);
  }
  faults_.add(child(name), refuse_word(given, allowed));
  return std::nullopt;
}

void FieldReader::word(std::string_view name, std::string& out, std::span<const Synonym> words, std::string_view,
                       Need need) {
  const YamlNode* node = take(name, need);
  std::string given;
  if (node == nullptr || !read_text(*node, child(name), faults_, given)) return;
  std::vector<std::string_view> allowed;
  for (const Synonym& word : words) {
    if (word.text == given) {
      out = word.means;
      return;
    }
    allowed.push_back(word.text);
  }
  faults_.add(child(name), refuse_word(given, allowed));
}

void FieldReader::text_list(std::string_view name, std::vector<std::string>& out, Need need, std::string_view) {
  const YamlNode* node = take_list(name, need);
  if (node == nullptr) return;
  out.resize(node->items.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    faults_.set_line(item(name, i), node->items[i].line);
    read_text(node->items[i], item(name, i), faults_, out[i]);
  }
}

void FieldReader::number_list(std::string_view name, std::vector<double>& out, std::string_view) {
  const YamlNode* node = take_list(name, Need::optional);
  if (node == nullptr) return;
  out.resize(node->items.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    faults_.set_line(item(name, i), node->items[i].line);
    read_number(node->items[i], item(name, i), kAny, faults_, out[i]);
  }
}

void FieldReader::text_map(std::string_view name, std::map<std::string, std::string>& out, std::string_view) {
  const YamlNode* node = take_map(name);
  if (node == nullptr) return;
  for (std::size_t i = 0; i < node->keys.size(); ++i) {
    const std::string path = std::format("{}.{}", child(name), shown(node->keys[i]));
    faults_.set_line(path, node->key_lines[i]);
    read_text(node->items[i], path, faults_, out[node->keys[i]]);
  }
}

void FieldReader::number_map(std::string_view name, std::map<std::string, double>& out, std::string_view) {
  const YamlNode* node = take_map(name);
  if (node == nullptr) return;
  for (std::size_t i = 0; i < node->keys.size(); ++i) {
    const std::string path = std::format("{}.{}", child(name), shown(node->keys[i]));
    faults_.set_line(path, node->key_lines[i]);
    read_number(node->items[i], path, kAny, faults_, out[node->keys[i]]);
  }
}

void FieldReader::range_map(std::string_view name, std::map<std::string, Range>& out, std::string_view) {
  const YamlNode* node = take_map(name);
  if (node == nullptr) return;
  for (std::size_t i = 0; i < node->keys.size(); ++i)
    read(node->items[i], std::format("{}.{}", child(name), shown(node->keys[i])), faults_, out[node->keys[i]]);
}

void FieldReader::finish() {
  for (std::size_t i = 0; i < node_.keys.size(); ++i) {
    const std::string_view key = node_.keys[i];
    if (std::ranges::find(known_, key) == known_.end()) faults_.add_at(node_.key_lines[i], path_, refuse_key(key));
  }
}

std::string FieldReader::refuse_key(std::string_view key) const {
  if (const auto later = later_.find(key); later != later_.end())
    return std::format("'{}' came with version {} of this schema; version {} cannot hold it: name the later one", key,
                       later->second, faults_.version());
  if (is_secret_name(key))
    return std::format("'{}' is a secret and does not belong in a site file; name a password_file or a password_env",
                       shown(key));
  return std::format("unknown field '{}'{}", shown(key), suggest(key, known_));
}

}  // namespace rltune::config
