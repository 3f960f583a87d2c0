// A server's structure for tests: text, a number, an array and an optional number.
#pragma once

#include "opcua_structure.hpp"

namespace rltune::plant {

inline Ua<UA_StructureDefinition, UA_TYPES_STRUCTUREDEFINITION> tank_definition() {
  Ua<UA_StructureDefinition, UA_TYPES_STRUCTUREDEFINITION> definition;
  definition->structureType = UA_STRUCTURETYPE_STRUCTUREWITHOPTIONALFIELDS;
  definition->defaultEncodingId = UA_NODEID_NUMERIC(2, 5001);
  definition->fields = static_cast<UA_StructureField*>(UA_Array_new(4, &UA_TYPES[UA_TYPES_STRUCTUREFIELD]));
  definition->fieldsSize = 4;
  const auto field = [&](std::size_t i, const char* name, int type, UA_Int32 rank, bool optional) {
    definition->fields[i].name = UA_String_fromChars(name);
    definition->fields[i].dataType = UA_TYPES[type].typeId;
    definition->fields[i].valueRank = rank;
    definition->fields[i].isOptional = optional;
  };
  field(0, "Name", UA_TYPES_STRING, -1, false);
  field(1, "Open", UA_TYPES_BOOLEAN, -1, false);
  field(2, "History", UA_TYPES_FLOAT, 1, false);
  field(3, "Level", UA_TYPES_DOUBLE, -1, true);
  return definition;
}

}  // namespace rltune::plant
