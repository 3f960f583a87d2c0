// Collects every fault of a document, with the line of the field each belongs to.
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/config/document.hpp"

namespace rltune::config {

class Faults {
 public:
  // `version`: of the schema that the document names, which says what fields it has.
  explicit Faults(std::string name, int version = 1) : name_(std::move(name)), version_(version) {}

  int version() const noexcept { return version_; }

  // Remembers where a field stands: "tags[3].role".
  void set_line(const std::string& path, int line) { lines_[path] = line; }
  // Reports at the field's own line, or at that of the nearest field around it.
  void add(const std::string& path, const std::string& what);
  void add_at(int line, const std::string& path, const std::string& what);

  bool empty() const noexcept { return faults_.empty(); }
  bool has(const std::string& path) const;     // the document gives this field
  bool faulty(const std::string& path) const;  // and it is wrong in itself: what follows from it is no news
  // All faults in the order of their lines.
  std::vector<Fault> sorted() const;
  // As text, at most a hundred.
  Error error() const;

 private:
  int line_of(std::string path) const;

  std::string name_;
  int version_;
  std::unordered_map<std::string, int> lines_;
  std::unordered_set<std::string> faulty_;
  std::vector<Fault> faults_;
};

}  // namespace rltune::config
