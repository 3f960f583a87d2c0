// Structures a server defines itself, decoded by its own description of them (DataTypeDefinition, Part 3,
// 5.8.3). The description becomes a type of open62541's, whose decoder checks every length; nothing here
// reads bytes. Internal.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "opcua_client.hpp"

namespace rltune::plant {

class CustomStructure {
 public:
  // Reads the definition of a data type and of those it holds. Errors: unsupported (unions, types without a
  // definition, deeper than 8), and those of Read.
  static Result<std::shared_ptr<const CustomStructure>> read(OpcuaClient& client, const UA_NodeId& data_type);
  // From a definition at hand whose fields are standard types alone; others are unsupported.
  static Result<std::shared_ptr<const CustomStructure>> make(const UA_StructureDefinition& definition);

  // The number behind `fields` in an encoded structure; nothing when the bytes are another type, damaged, or
  // hold no number there.
  std::optional<double> number(const UA_ExtensionObject& object, std::span<const std::string> fields) const noexcept;

  const UA_DataType* type() const noexcept { return &type_; }

 private:
  using Resolve = std::function<Result<const UA_DataType*>(const UA_NodeId&)>;
  Result<> build(const UA_StructureDefinition& definition, const Resolve& resolve);
  static Result<std::shared_ptr<CustomStructure>> read_nested(OpcuaClient& client, const UA_NodeId& data_type,
                                                              int depth);

  UaNodeId encoding_;
  UA_DataType type_{};
  std::deque<std::string> names_;  // members point into it
  std::vector<UA_DataTypeMember> members_;
  std::vector<std::shared_ptr<CustomStructure>> nested_;
};

}  // namespace rltune::plant
