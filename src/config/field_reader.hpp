// The visitor of field_types.hpp that fills structs from a YAML tree. Strict: what it does not know, and what
// has the wrong type or lies outside its bounds, is a fault with line and path; it goes on to find them all.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "faults.hpp"
#include "site_fields.hpp"
#include "yaml_tree.hpp"

namespace rltune::config {

class FieldReader {
 public:
  // REQUIRES: node is a map and outlives the reader.
  FieldReader(const YamlNode& node, std::string path, Faults& faults);

  void schema(std::string& out, std::span<const Synonym> words);
  // False where the document's version has no such field.
  bool since(int version, std::string_view name);
  void text(std::string_view name, std::string& out, Need need, std::string_view note);
  void number(std::string_view name, double& out, const Bounds& bounds, Need need, std::string_view note);
  void count(std::string_view name, std::size_t& out, const Bounds& bounds, std::string_view note);
  void flag(std::string_view name, bool& out, std::string_view note);
  void path(std::string_view name, std::filesystem::path& out, Need need, std::string_view note);
  void secret_file(std::string_view name, std::filesystem::path& out, std::string_view note);
  void secret_variable(std::string_view name, std::string& out, std::string_view note);
  void text_list(std::string_view name, std::vector<std::string>& out, Need need, std::string_view note);
  void number_list(std::string_view name, std::vector<double>& out, std::string_view note);
  void text_map(std::string_view name, std::map<std::string, std::string>& out, std::string_view note);
  void number_map(std::string_view name, std::map<std::string, double>& out, std::string_view note);
  void range_map(std::string_view name, std::map<std::string, Range>& out, std::string_view note);
  void word(std::string_view name, std::string& out, std::span<const Synonym> words, std::string_view note,
            Need need = Need::optional);

  template <typename Enum>
  void choice(std::string_view name, Enum& out, std::span<const Word> words, std::string_view) {
    if (const auto value = choose(name, words)) out = static_cast<Enum>(*value);
  }

  template <typename T>
  void object(std::string_view name, T& out, Need need, std::string_view) {
    if (const YamlNode* node = take(name, need)) read(*node, child(name), faults_, out);
  }

  template <typename T>
  void optional(std::string_view name, std::optional<T>& out, std::string_view) {
    if (const YamlNode* node = take(name, Need::optional)) read(*node, child(name), faults_, out.emplace());
  }

  template <typename T>
  void list(std::string_view name, std::vector<T>& out, Need need, std::string_view) {
    const YamlNode* node = take_list(name, need);
    if (node == nullptr) return;
    out.resize(node->items.size());
    for (std::size_t i = 0; i < out.size(); ++i) read(node->items[i], item(name, i), faults_, out[i]);
  }

  // Reports the fields that nobody asked for. Call after describe().
  void finish();

  template <typename T>
  static void read(const YamlNode& node, const std::string& path, Faults& faults, T& out) {
    faults.set_line(path, node.line);
    if (!expect_map(node, path, faults)) return;
    FieldReader reader(node, path, faults);
    describe(reader, out);
    reader.finish();
  }

 private:
  static bool expect_map(const YamlNode& node, const std::string& path, Faults& faults);
  // The value of a field, or nothing: a fault is then reported where one is needed or its value is empty.
  const YamlNode* take(std::string_view name, Need need);
  const YamlNode* take_list(std::string_view name, Need need);
  const YamlNode* take_map(std::string_view name);
  std::optional<int> choose(std::string_view name, std::span<const Word> words);
  std::string child(std::string_view name) const;
  std::string item(std::string_view name, std::size_t index) const;
  std::string refuse_word(std::string_view given, std::span<const std::string_view> allowed) const;
  std::string refuse_key(std::string_view key) const;

  const YamlNode& node_;
  std::string path_;
  Faults& faults_;
  std::vector<std::string_view> known_;
  std::map<std::string_view, int> later_;  // fields of later versions, and since when
};

}  // namespace rltune::config
