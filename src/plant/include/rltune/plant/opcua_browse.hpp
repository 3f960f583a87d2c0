// What variables a server has, for drafting a site: `rltune site init`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/plant/opcua_options.hpp"

namespace rltune::plant {

struct BrowsedVariable {
  std::string node;          // "nsu=urn:...;s=air_temperature"
  std::string path;          // display names from the Objects folder: "Greenhouse/Climate/Air temperature"
  std::string name;          // browse name, the last part
  std::string data_type;     // "Double"; of a server's own types the name it gives them
  bool is_number = false;    // can be a tag
  std::size_t elements = 1;  // of arrays their length
  bool readable = false;     // by this user
  bool writable = false;
  bool has_history = false;
  std::string unit;                 // EngineeringUnits' display name; empty: none
  std::optional<double> low, high;  // EURange
  std::string description;
  std::optional<double> value;  // of scalars, now
};

struct BrowseOptions {
  std::string root;  // node to start from, nsu form; empty: the Objects folder
  std::size_t variables_max = 100'000;
  bool with_server_object = false;  // the server's own diagnostics (node i=2253)
};

// Connects as `options` say, with every check of a link, and walks the hierarchy. In browse order. Errors:
// those of a link's open(), not_found (root).
Result<std::vector<BrowsedVariable>> browse(const OpcuaOptions& options, const BrowseOptions& browse_options = {});

}  // namespace rltune::plant
