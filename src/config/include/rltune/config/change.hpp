// What differs between two files of one kind, field by field, and who takes it over: as it runs, or when it starts
// again.
#pragma once

#include <string>
#include <vector>

#include "rltune/config/document.hpp"

namespace rltune::config {

struct Change {
  std::string field;                  // items by their name: "tags[heating].unit"
  std::string was, is;                // empty where the field is not there
  std::vector<std::string> restarts;  // roles: "io", "agent.climate"; "agent.*" where all are; empty: none
  std::vector<std::string> live;      // roles that take it over as they run
};

// Errors: invalid_argument when one of them is not valid, or they are of different kinds. An empty `was` is a file
// that did not exist.
Result<std::vector<Change>> changes(const std::string& was, const std::string& is);

// All roles of the changes, each once, in the order of starting.
std::vector<std::string> restarts(const std::vector<Change>& changes);
// Those that only take over what they can as they run.
std::vector<std::string> live(const std::vector<Change>& changes);

}  // namespace rltune::config
