// What a server has: its limits, its namespaces, the nodes of our tags. Internal.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "node_path.hpp"
#include "opcua_client.hpp"
#include "rltune/plant/plant_link.hpp"

namespace rltune::plant {

class CustomStructure;

using UaDataValue = Ua<UA_DataValue, UA_TYPES_DATAVALUE>;

// How many operations one request may carry (Part 5, 6.3.11). Servers say 0 for "no limit"; we keep to
// kMostPerCall then.
struct OperationLimits {
  static constexpr std::size_t kMostPerCall = 1000;
  std::size_t read = kMostPerCall;
  std::size_t write = kMostPerCall;
  std::size_t browse = kMostPerCall;
  std::size_t monitored_items = kMostPerCall;
  std::size_t history_read = kMostPerCall;
  std::size_t translate = kMostPerCall;
};

struct Attribute {
  const UA_NodeId* node = nullptr;
  UA_UInt32 id = UA_ATTRIBUTEID_VALUE;
};

// Reads attributes in as many requests as the limit asks for, in order; each may take `timeout`, 0: as any call.
Result<std::vector<UaDataValue>> read_attributes(OpcuaClient& client, std::span<const Attribute> attributes,
                                                 std::size_t limit, Duration timeout = {});

Result<OperationLimits> read_limits(OpcuaClient& client);
Result<std::vector<std::string>> read_namespaces(OpcuaClient& client);

// The node in a server whose namespaces are these. Errors: not_found (the namespace), parse.
Result<UaNodeId> node_of(const NodePath& path, std::span<const std::string> namespaces);
// The reverse. Errors: not_found for an index without a URI.
Result<NodePath> path_of(const UA_NodeId& node, std::span<const std::string> namespaces);

// The type of numbers behind a DataType attribute, through the server's own type tree; nullptr where it
// holds something else.
Result<const UA_DataType*> number_type_of(OpcuaClient& client, const UA_NodeId& data_type);

// EngineeringUnits and EURange of a variable, where it has them.
struct EngineeringProperties {
  std::optional<Ua<UA_EUInformation, UA_TYPES_EUINFORMATION>> units;
  std::optional<UA_Range> range;
};
Result<std::vector<EngineeringProperties>> read_engineering(OpcuaClient& client,
                                                            std::span<const UA_NodeId* const> nodes,
                                                            const OperationLimits& limits);

// A tag as the current session knows it.
struct ResolvedTag {
  UaNodeId node;
  NodePath path;                      // the reading of the binding that the server has
  const UA_DataType* type = nullptr;  // what the node holds, of one element; nullptr: not known yet
  std::size_t elements = 1;
  bool has_history = false;
  std::shared_ptr<const CustomStructure> structure;  // of a field in a structure that the server defines
};

// Finds every tag and checks that it is what its binding says. The error names the tag: not_found (no such
// namespace or node, not a variable), mismatch (type, number of elements, unit), denied (not readable or
// writable for this user), unsupported.
Result<std::vector<ResolvedTag>> resolve_tags(OpcuaClient& client, std::span<const TagBinding> bindings,
                                              const OperationLimits& limits);

// The number of one element of a tag in a value that came from its node; nothing when there is none.
std::optional<double> element_number(const UA_Variant& value, const ResolvedTag& tag, std::size_t element) noexcept;

}  // namespace rltune::plant
