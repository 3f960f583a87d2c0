// The visitor of field_types.hpp that lists a document's fields as text, defaults included. Items of a list are
// called by their own name, so that moving one changes nothing: "tags[heating].unit".
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "site_fields.hpp"

namespace rltune::config {

class FieldLister {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  FieldLister(std::string path, Fields& out) : path_(std::move(path)), out_(out) {}

  void schema(const std::string& value, std::span<const Synonym>) { add("schema", value); }
  bool since(int, std::string_view) const { return true; }  // the structs are of the newest version
  void text(std::string_view name, const std::string& value, Need, std::string_view) { add(name, value); }
  void path(std::string_view name, const std::filesystem::path& value, Need, std::string_view) {
    add(name, value.string());
  }
  void secret_file(std::string_view name, const std::filesystem::path& value, std::string_view) {
    add(name, value.string());
  }
  void secret_variable(std::string_view name, const std::string& value, std::string_view) { add(name, value); }
  void number(std::string_view name, double value, const Bounds&, Need, std::string_view) { add(name, value); }
  void count(std::string_view name, std::size_t value, const Bounds&, std::string_view) {
    add(name, std::to_string(value));
  }
  void flag(std::string_view name, bool value, std::string_view) { add(name, std::string(value ? "true" : "false")); }
  void word(std::string_view name, const std::string& value, std::span<const Synonym>, std::string_view,
            Need = Need::optional) {
    add(name, value);
  }
  template <typename Enum>
  void choice(std::string_view name, Enum value, std::span<const Word> words, std::string_view) {
    for (const Word& word : words)
      if (word.value == static_cast<int>(value)) add(name, std::string(word.text));
  }
  void text_list(std::string_view name, const std::vector<std::string>& values, Need, std::string_view);
  void number_list(std::string_view name, const std::vector<double>& values, std::string_view);
  void text_map(std::string_view name, const std::map<std::string, std::string>& values, std::string_view);
  void number_map(std::string_view name, const std::map<std::string, double>& values, std::string_view);
  void range_map(std::string_view name, const std::map<std::string, Range>& values, std::string_view);

  template <typename T>
  void object(std::string_view name, T& value, Need, std::string_view) {
    inside(child(name), value);
  }
  template <typename T>
  void optional(std::string_view name, std::optional<T>& value, std::string_view) {
    if (value) inside(child(name), *value);
  }
  template <typename T>
  void list(std::string_view name, std::vector<T>& values, Need, std::string_view) {
    for (T& value : values) {
      Fields own;
      FieldLister lister("", own);
      describe(lister, value);  // the first field of an item is its name
      inside(child(name) + "[" + own.front().second + "]", value);
    }
  }

 private:
  template <typename T>
  void inside(std::string path, T& value) {
    FieldLister lister(std::move(path), out_);
    describe(lister, value);
  }
  std::string child(std::string_view name) const {
    return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
  }
  void add(std::string_view name, std::string value) { out_.emplace_back(child(name), std::move(value)); }
  void add(std::string_view name, double value);

  std::string path_;
  Fields& out_;
};

}  // namespace rltune::config
