#include "opcua_structure.hpp"

#include <format>

#include "opcua_nodes.hpp"

namespace rltune::plant {
namespace {

constexpr int kDeepest = 8;
constexpr std::size_t kMostMembers = 255;   // what the library's type description can count
constexpr std::size_t kMostBytes = 60'000;  // and how large it lets a structure be
// Every member starts at a multiple of this: enough for any, and the layout is ours to choose.
constexpr std::size_t kAlignment = 8;

std::size_t aligned(std::size_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

Result<> CustomStructure::build(const UA_StructureDefinition& definition, const Resolve& resolve) {
  const bool optional = definition.structureType == UA_STRUCTURETYPE_STRUCTUREWITHOPTIONALFIELDS;
  if (!optional && definition.structureType != UA_STRUCTURETYPE_STRUCTURE)
    return fail(Errc::unsupported, "unions and structures with subtyped fields are not read");
  if (definition.fieldsSize > kMostMembers) return fail(Errc::unsupported, "the structure has more than 255 fields");
  UA_NodeId_copy(&definition.defaultEncodingId, &*encoding_);
  std::size_t size = 0;
  for (std::size_t i = 0; i < definition.fieldsSize; ++i) {
    const UA_StructureField& field = definition.fields[i];
    if (field.valueRank > 1) return fail(Errc::unsupported, "matrices inside a structure are not read");
    auto type = resolve(field.dataType);
    if (!type) return std::unexpected(type.error());
    UA_DataTypeMember member{};
    member.memberName = names_.emplace_back(text_of(field.name)).c_str();
    member.memberType = *type;
    member.isArray = field.valueRank >= 0;
    member.isOptional = optional && field.isOptional;
    member.padding = static_cast<UA_Byte>(aligned(size) - size);
    size = aligned(size) + (member.isArray      ? sizeof(std::size_t) + sizeof(void*)
                            : member.isOptional ? sizeof(void*)
                                                : member.memberType->memSize);
    if (size > kMostBytes) return fail(Errc::unsupported, "the structure is too large");
    members_.push_back(member);
  }
  type_.typeName = "custom structure";
  type_.memSize = static_cast<UA_UInt16>(std::max(aligned(size), kAlignment));
  type_.typeKind = optional ? UA_DATATYPEKIND_OPTSTRUCT : UA_DATATYPEKIND_STRUCTURE;
  type_.membersSize = static_cast<UA_Byte>(members_.size());
  type_.members = members_.data();
  return {};
}

Result<std::shared_ptr<const CustomStructure>> CustomStructure::make(const UA_StructureDefinition& definition) {
  auto structure = std::make_shared<CustomStructure>();
  auto built = structure->build(definition, [](const UA_NodeId& id) -> Result<const UA_DataType*> {
    if (const auto* type = UA_findDataType(&id)) return type;
    return fail(Errc::unsupported, "a field's type is not a standard one");
  });
  if (!built) return std::unexpected(built.error());
  return structure;
}

Result<std::shared_ptr<const CustomStructure>> CustomStructure::read(OpcuaClient& client, const UA_NodeId& data_type) {
  return read_nested(client, data_type, 0);
}

Result<std::shared_ptr<CustomStructure>> CustomStructure::read_nested(OpcuaClient& client, const UA_NodeId& data_type,
                                                                      int depth) {
  if (depth >= kDeepest) return fail(Errc::unsupported, "structures nest deeper than 8");
  const Attribute attribute{&data_type, UA_ATTRIBUTEID_DATATYPEDEFINITION};
  auto values = read_attributes(client, {&attribute, 1}, 1);
  if (!values) return std::unexpected(values.error());
  const UA_Variant& definition = (*values)[0]->value;
  if (!UA_Variant_hasScalarType(&definition, &UA_TYPES[UA_TYPES_STRUCTUREDEFINITION]))
    return fail(Errc::unsupported, "the server does not describe the structure (no DataTypeDefinition)");
  auto structure = std::make_shared<CustomStructure>();
  auto built = structure->build(*static_cast<const UA_StructureDefinition*>(definition.data),
                                [&](const UA_NodeId& id) -> Result<const UA_DataType*> {
                                  if (const auto* type = UA_findDataType(&id)) return type;
                                  auto number = number_type_of(client, id);  // enumerations and renamed simple types
                                  if (!number) return std::unexpected(number.error());
                                  if (*number != nullptr) return *number;
                                  auto nested = read_nested(client, id, depth + 1);
                                  if (!nested) return std::unexpected(nested.error());
                                  structure->nested_.push_back(*nested);
                                  return (*nested)->type();
                                });
  if (!built) return std::unexpected(built.error());
  return structure;
}

std::optional<double> CustomStructure::number(const UA_ExtensionObject& object,
                                              std::span<const std::string> fields) const noexcept {
  if (object.encoding != UA_EXTENSIONOBJECT_ENCODED_BYTESTRING ||
      !UA_NodeId_equal(&object.content.encoded.typeId, &*encoding_))
    return std::nullopt;
  alignas(kAlignment) std::array<std::byte, 1024> small;
  std::unique_ptr<std::byte[]> large;
  if (type_.memSize > small.size()) large = std::make_unique<std::byte[]>(type_.memSize);
  std::byte* memory = large ? large.get() : small.data();
  UA_init(memory, &type_);
  if (UA_decodeBinary(&object.content.encoded.body, memory, &type_, nullptr) != UA_STATUSCODE_GOOD) return std::nullopt;
  const auto number = field_number(memory, &type_, fields);
  UA_clear(memory, &type_);
  return number;
}

}  // namespace rltune::plant
