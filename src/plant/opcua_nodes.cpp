#include "opcua_nodes.hpp"

#include <format>

#include "opcua_structure.hpp"

namespace rltune::plant {
namespace {

UA_NodeId ns0(UA_UInt32 id) { return UA_NODEID_NUMERIC(0, id); }

std::string list(std::span<const std::string> names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

bool is_good(const UaDataValue& value) { return !value->hasStatus || quality_of(value->status) == Quality::good; }

// The scalar of a successful read, or nothing.
template <typename T>
const T* scalar_of(const UaDataValue& value, int type) {
  if (!is_good(value) || !value->hasValue || !UA_Variant_hasScalarType(&value->value, &UA_TYPES[type])) return nullptr;
  return static_cast<const T*>(value->value.data);
}

// Standard data types by identifier (Part 6, A.3), concrete or abstract, that hold numbers.
const UA_DataType* number_type(UA_UInt32 id) {
  switch (id) {
    case UA_NS0ID_NUMBER:
      return &UA_TYPES[UA_TYPES_DOUBLE];  // abstract: the server converts
    case UA_NS0ID_INTEGER:
      return &UA_TYPES[UA_TYPES_INT64];
    case UA_NS0ID_UINTEGER:
      return &UA_TYPES[UA_TYPES_UINT64];
    case UA_NS0ID_ENUMERATION:
      return &UA_TYPES[UA_TYPES_INT32];
    case UA_NS0ID_BASEDATATYPE:
      return &UA_TYPES[UA_TYPES_DOUBLE];
    default:
      break;
  }
  const UA_NodeId node = ns0(id);
  const UA_DataType* type = UA_findDataType(&node);
  return type != nullptr && is_number_type(type) ? type : nullptr;
}

Result<UaNodeId> supertype(OpcuaClient& client, const UA_NodeId& type) {
  BrowseService::Request request;
  request->nodesToBrowse = UA_BrowseDescription_new();
  request->nodesToBrowseSize = 1;
  UA_NodeId_copy(&type, &request->nodesToBrowse->nodeId);
  request->nodesToBrowse->browseDirection = UA_BROWSEDIRECTION_INVERSE;
  request->nodesToBrowse->referenceTypeId = ns0(UA_NS0ID_HASSUBTYPE);
  auto answer = client.call<BrowseService>(request, "Browse for a data type's supertype");
  if (!answer) return std::unexpected(answer.error());
  UaNodeId parent;
  if ((*answer)->resultsSize == 1 && (*answer)->results[0].referencesSize > 0)
    UA_NodeId_copy(&(*answer)->results[0].references[0].nodeId.nodeId, &*parent);
  return parent;
}

std::string type_name(const UA_Variant& value, const UA_NodeId& data_type) {
  if (value.type != nullptr) return value.type->typeName;
  if (const auto* type = UA_findDataType(&data_type)) return type->typeName;
  return "an unknown type";
}

// A reading of a binding together with what the server says about its node.
struct Candidate {
  std::size_t tag = 0;
  NodePath path;
  UaNodeId node;
};

constexpr std::array<UA_UInt32, 6> kAttributes{UA_ATTRIBUTEID_NODECLASS,       UA_ATTRIBUTEID_DATATYPE,
                                               UA_ATTRIBUTEID_VALUERANK,       UA_ATTRIBUTEID_ACCESSLEVEL,
                                               UA_ATTRIBUTEID_USERACCESSLEVEL, UA_ATTRIBUTEID_VALUE};

struct NodeFacts {
  const UaDataValue& node_class;
  const UaDataValue& data_type;
  const UaDataValue& value_rank;
  const UaDataValue& access;
  const UaDataValue& user_access;
  const UaDataValue& value;

  bool exists() const { return is_good(node_class) && node_class->hasValue; }
  bool is_variable() const {
    // NodeClass comes as an Int32 on the wire.
    return node_class->value.data != nullptr &&
           number_of(node_class->value.data, node_class->value.type) == UA_NODECLASS_VARIABLE;
  }
  bool has_access(UA_Byte bit) const {
    const auto* all = scalar_of<UA_Byte>(access, UA_TYPES_BYTE);
    const auto* ours = scalar_of<UA_Byte>(user_access, UA_TYPES_BYTE);
    return all != nullptr && (*all & bit) != 0 && (ours == nullptr || (*ours & bit) != 0);
  }
};

std::string where(const TagBinding& binding) { return std::format("tag '{}' ({})", binding.name, binding.node); }

Result<> check_access(const TagBinding& binding, const NodeFacts& facts) {
  if (!facts.is_variable())
    return fail(Errc::not_found, where(binding) + ": the node is no variable; bind the variable below it");
  if (!facts.has_access(UA_ACCESSLEVELMASK_READ))
    return fail(Errc::denied, where(binding) + ": this user may not read the node");
  if (binding.writable && !facts.has_access(UA_ACCESSLEVELMASK_WRITE))
    return fail(Errc::denied,
                where(binding) + ": the tag is writable in the site, and this user may not write the node");
  return {};
}

// The elements a value really has must be the elements the site counts on.
Result<> check_elements(const TagBinding& binding, const ResolvedTag& tag, const UA_Variant& value) {
  if (UA_Variant_isEmpty(&value)) return {};
  const bool is_array = !UA_Variant_isScalar(&value);
  const std::size_t length = is_array ? value.arrayLength : 1;
  if (tag.path.element) {
    if (!is_array || *tag.path.element >= length)
      return fail(Errc::mismatch, std::format("{}: there is no element [{}]; the node has {}", where(binding),
                                              *tag.path.element, length));
    return {};
  }
  if (binding.elements == 1 && is_array)
    return fail(Errc::mismatch, std::format("{}: the node is an array of {}; say which element, as in [0], or set "
                                            "elements: {}",
                                            where(binding), length, length));
  if (binding.elements > 1 && (!is_array || length != binding.elements))
    return fail(Errc::mismatch, std::format("{}: the site says {} elements, the server has {}", where(binding),
                                            binding.elements, length));
  return {};
}

// A field of a structure: one the library knows, or one that the server describes.
Result<> check_field(OpcuaClient& client, const TagBinding& binding, const UA_Variant& value,
                     const UA_NodeId* data_type, ResolvedTag& tag) {
  if (binding.writable)
    return fail(Errc::unsupported, where(binding) + ": a field of a structure cannot be written on its own");
  if (element_number(value, tag, 0)) return {};
  const bool is_custom = data_type != nullptr && data_type->namespaceIndex > 0;
  if (is_custom) {
    auto structure = CustomStructure::read(client, *data_type);
    if (!structure)
      return fail(structure.error().code, std::format("{}: {}", where(binding), structure.error().message));
    tag.structure = std::move(*structure);
  }
  if (UA_Variant_isEmpty(&value) || element_number(value, tag, 0)) return {};
  return fail(Errc::mismatch,
              std::format("{}: the node's structure has no number '{}'", where(binding), list(tag.path.fields)));
}

Result<> check_value(OpcuaClient& client, const TagBinding& binding, const NodeFacts& facts, ResolvedTag& tag) {
  const auto* data_type = scalar_of<UA_NodeId>(facts.data_type, UA_TYPES_NODEID);
  const UA_Variant& value = facts.value->value;
  if (auto fits = check_elements(binding, tag, value); !fits) return fits;
  if (!tag.path.fields.empty()) return check_field(client, binding, value, data_type, tag);
  if (value.type != nullptr && is_number_type(value.type)) {
    tag.type = value.type;
    return {};
  }
  // No value at this moment (a sensor that fails is no reason to refuse): the declared type decides.
  if (value.type == nullptr && data_type != nullptr) {
    auto type = number_type_of(client, *data_type);
    if (!type) return std::unexpected(type.error());
    tag.type = *type;
  }
  if (tag.type != nullptr) return {};
  return fail(Errc::mismatch, std::format("{}: the node holds {}, and a tag needs numbers", where(binding),
                                          type_name(value, data_type != nullptr ? *data_type : ns0(0))));
}

Result<> check_units(OpcuaClient& client, std::span<const TagBinding> bindings, const std::vector<ResolvedTag>& tags,
                     const OperationLimits& limits) {
  std::vector<const UA_NodeId*> nodes;
  for (const auto& tag : tags) nodes.push_back(&*tag.node);
  auto properties = read_engineering(client, nodes, limits);
  if (!properties) return std::unexpected(properties.error());
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const auto& units = (*properties)[i].units;
    if (!units || bindings[i].unit.empty() || !tags[i].path.fields.empty()) continue;
    const auto name = text_of((*units)->displayName.text);
    if (name.empty() && (*units)->unitId <= 0) continue;
    if (!same_unit(bindings[i].unit, **units))
      return fail(Errc::mismatch, std::format("{}: the site says unit '{}', the server says '{}'", where(bindings[i]),
                                              bindings[i].unit, name));
  }
  return {};
}

std::size_t limit_of(const UaDataValue& value) {
  const auto* limit = scalar_of<UA_UInt32>(value, UA_TYPES_UINT32);
  return limit != nullptr && *limit > 0 ? std::min<std::size_t>(*limit, OperationLimits::kMostPerCall)
                                        : OperationLimits::kMostPerCall;
}

}  // namespace

Result<const UA_DataType*> number_type_of(OpcuaClient& client, const UA_NodeId& data_type) {
  constexpr int kDeepest = 16;
  UaNodeId type;
  UA_NodeId_copy(&data_type, &*type);
  for (int depth = 0; depth < kDeepest && !UA_NodeId_isNull(&*type); ++depth) {
    if (type->namespaceIndex == 0 && type->identifierType == UA_NODEIDTYPE_NUMERIC) {
      if (const auto* number = number_type(type->identifier.numeric)) return number;
      if (type->identifier.numeric <= UA_NS0ID_STRUCTURE) return nullptr;
    }
    auto parent = supertype(client, *type);
    if (!parent) return std::unexpected(parent.error());
    type = std::move(*parent);
  }
  return nullptr;
}

Result<std::vector<UaDataValue>> read_attributes(OpcuaClient& client, std::span<const Attribute> attributes,
                                                 std::size_t limit, Duration timeout) {
  std::vector<UaDataValue> values;
  values.reserve(attributes.size());
  for (std::size_t first = 0; first < attributes.size(); first += limit) {
    const auto chunk = attributes.subspan(first, std::min(limit, attributes.size() - first));
    ReadService::Request request;
    request->timestampsToReturn = UA_TIMESTAMPSTORETURN_BOTH;
    request->nodesToRead = static_cast<UA_ReadValueId*>(UA_Array_new(chunk.size(), &UA_TYPES[UA_TYPES_READVALUEID]));
    request->nodesToReadSize = chunk.size();
    for (std::size_t i = 0; i < chunk.size(); ++i) {
      UA_NodeId_copy(chunk[i].node, &request->nodesToRead[i].nodeId);
      request->nodesToRead[i].attributeId = chunk[i].id;
    }
    auto answer = client.call<ReadService>(request, "Read", timeout);
    if (!answer) return std::unexpected(answer.error());
    if ((*answer)->resultsSize != chunk.size()) return fail(Errc::io, "Read: the server answered for other nodes");
    for (std::size_t i = 0; i < chunk.size(); ++i) values.emplace_back(std::move((*answer)->results[i]));
  }
  return values;
}

Result<OperationLimits> read_limits(OpcuaClient& client) {
  constexpr std::array<UA_UInt32, 6> kNodes{
      UA_NS0ID_SERVER_SERVERCAPABILITIES_OPERATIONLIMITS_MAXNODESPERREAD,
      UA_NS0ID_SERVER_SERVERCAPABILITIES_OPERATIONLIMITS_MAXNODESPERWRITE,
      UA_NS0ID_SERVER_SERVERCAPABILITIES_OPERATIONLIMITS_MAXNODESPERBROWSE,
      UA_NS0ID_SERVER_SERVERCAPABILITIES_OPERATIONLIMITS_MAXMONITOREDITEMSPERCALL,
      UA_NS0ID_SERVER_SERVERCAPABILITIES_OPERATIONLIMITS_MAXNODESPERHISTORYREADDATA,
      UA_NS0ID_SERVER_SERVERCAPABILITIES_OPERATIONLIMITS_MAXNODESPERTRANSLATEBROWSEPATHSTONODEIDS};
  OperationLimits limits;
  std::array<std::size_t*, 6> places{&limits.read,         &limits.write,    &limits.browse, &limits.monitored_items,
                                     &limits.history_read, &limits.translate};
  // One node a request: the limit is not known yet. MaxNodesPerRead comes first and serves the rest.
  std::size_t per_call = 1;
  for (std::size_t i = 0; i < kNodes.size();) {
    std::vector<UA_NodeId> nodes;
    for (std::size_t k = i; k < kNodes.size() && k < i + per_call; ++k) nodes.push_back(ns0(kNodes[k]));
    std::vector<Attribute> attributes;
    for (const auto& node : nodes) attributes.push_back({&node, UA_ATTRIBUTEID_VALUE});
    auto values = read_attributes(client, attributes, per_call);
    if (!values) return std::unexpected(values.error());
    for (std::size_t k = 0; k < nodes.size(); ++k) *places[i + k] = limit_of((*values)[k]);
    i += nodes.size();
    per_call = limits.read;
  }
  return limits;
}

Result<std::vector<std::string>> read_namespaces(OpcuaClient& client) {
  const UA_NodeId node = ns0(UA_NS0ID_SERVER_NAMESPACEARRAY);
  const Attribute attribute{&node};
  auto values = read_attributes(client, {&attribute, 1}, 1);
  if (!values) return std::unexpected(values.error());
  const UA_Variant& array = (*values)[0]->value;
  if (!UA_Variant_hasArrayType(&array, &UA_TYPES[UA_TYPES_STRING]))
    return fail(Errc::io, "the server has no NamespaceArray");
  std::vector<std::string> namespaces;
  for (std::size_t i = 0; i < array.arrayLength; ++i)
    namespaces.emplace_back(text_of(static_cast<const UA_String*>(array.data)[i]));
  return namespaces;
}

Result<UaNodeId> node_of(const NodePath& path, std::span<const std::string> namespaces) {
  UA_UInt16 index = 0;
  if (!path.namespace_uri.empty()) {
    const auto found = std::ranges::find(namespaces, path.namespace_uri);
    if (found == namespaces.end())
      return fail(Errc::not_found,
                  std::format("the server has no namespace '{}'; it has {}", path.namespace_uri, list(namespaces)));
    index = static_cast<UA_UInt16>(found - namespaces.begin());
  }
  UaNodeId node;
  node->namespaceIndex = index;
  UA_StatusCode status = UA_STATUSCODE_GOOD;
  switch (path.kind) {
    case NodePath::Kind::numeric:
      node->identifierType = UA_NODEIDTYPE_NUMERIC;
      node->identifier.numeric = static_cast<UA_UInt32>(std::stoul(path.identifier));
      break;
    case NodePath::Kind::string:
      node->identifier.string = copy_of(path.identifier);
      node->identifierType = UA_NODEIDTYPE_STRING;
      break;
    case NodePath::Kind::guid:
      node->identifierType = UA_NODEIDTYPE_GUID;
      status = UA_Guid_parse(&node->identifier.guid, view_of(path.identifier));
      break;
    case NodePath::Kind::opaque: {
      UA_ByteString bytes{};
      const UA_String text = view_of(path.identifier);
      status = UA_ByteString_fromBase64(&bytes, &text);
      if (status == UA_STATUSCODE_GOOD) {
        node->identifier.byteString = bytes;
        node->identifierType = UA_NODEIDTYPE_BYTESTRING;
      }
      break;
    }
  }
  if (status != UA_STATUSCODE_GOOD)
    return fail(Errc::parse, std::format("'{}' is no such identifier", path.identifier));
  return node;
}

Result<NodePath> path_of(const UA_NodeId& node, std::span<const std::string> namespaces) {
  NodePath path;
  if (node.namespaceIndex > 0) {
    if (node.namespaceIndex >= namespaces.size())
      return fail(Errc::not_found, std::format("the server names no namespace {}", node.namespaceIndex));
    path.namespace_uri = namespaces[node.namespaceIndex];
  }
  switch (node.identifierType) {
    case UA_NODEIDTYPE_NUMERIC:
      path.kind = NodePath::Kind::numeric;
      path.identifier = std::to_string(node.identifier.numeric);
      break;
    case UA_NODEIDTYPE_STRING:
      path.kind = NodePath::Kind::string;
      path.identifier = text_of(node.identifier.string);
      break;
    case UA_NODEIDTYPE_GUID: {
      path.kind = NodePath::Kind::guid;
      UA_String text{};
      UA_Guid_print(&node.identifier.guid, &text);
      path.identifier = text_of(text);
      UA_String_clear(&text);
      break;
    }
    default: {
      path.kind = NodePath::Kind::opaque;
      UA_String text{};
      UA_ByteString_toBase64(&node.identifier.byteString, &text);
      path.identifier = text_of(text);
      UA_String_clear(&text);
    }
  }
  return path;
}

Result<std::vector<EngineeringProperties>> read_engineering(OpcuaClient& client,
                                                            std::span<const UA_NodeId* const> nodes,
                                                            const OperationLimits& limits) {
  constexpr std::array<std::string_view, 2> kNames{"EngineeringUnits", "EURange"};
  std::vector<UaNodeId> found(nodes.size() * kNames.size());
  for (std::size_t first = 0; first < found.size(); first += limits.translate) {
    const std::size_t count = std::min(limits.translate, found.size() - first);
    TranslateBrowsePathsToNodeIdsService::Request request;
    request->browsePaths = static_cast<UA_BrowsePath*>(UA_Array_new(count, &UA_TYPES[UA_TYPES_BROWSEPATH]));
    request->browsePathsSize = count;
    for (std::size_t i = 0; i < count; ++i) {
      UA_BrowsePath& path = request->browsePaths[i];
      UA_NodeId_copy(nodes[(first + i) / kNames.size()], &path.startingNode);
      path.relativePath.elements = UA_RelativePathElement_new();
      path.relativePath.elementsSize = 1;
      path.relativePath.elements->referenceTypeId = ns0(UA_NS0ID_HASPROPERTY);
      path.relativePath.elements->targetName.name = copy_of(kNames[(first + i) % kNames.size()]);
    }
    auto answer = client.call<TranslateBrowsePathsToNodeIdsService>(request, "TranslateBrowsePathsToNodeIds");
    if (!answer) return std::unexpected(answer.error());
    for (std::size_t i = 0; i < std::min(count, (*answer)->resultsSize); ++i)
      if ((*answer)->results[i].statusCode == UA_STATUSCODE_GOOD && (*answer)->results[i].targetsSize > 0)
        UA_NodeId_copy(&(*answer)->results[i].targets[0].targetId.nodeId, &*found[first + i]);
  }
  std::vector<Attribute> attributes;
  for (const auto& node : found)
    if (!UA_NodeId_isNull(&*node)) attributes.push_back({&*node});
  auto values = read_attributes(client, attributes, limits.read);
  if (!values) return std::unexpected(values.error());
  std::vector<EngineeringProperties> all(nodes.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (UA_NodeId_isNull(&*found[i])) continue;
    const auto& value = (*values)[next++];
    auto& properties = all[i / kNames.size()];
    if (const auto* units = scalar_of<UA_EUInformation>(value, UA_TYPES_EUINFORMATION)) {
      properties.units.emplace();
      UA_EUInformation_copy(units, &**properties.units);
    }
    if (const auto* range = scalar_of<UA_Range>(value, UA_TYPES_RANGE)) properties.range = *range;
  }
  return all;
}

Result<std::vector<ResolvedTag>> resolve_tags(OpcuaClient& client, std::span<const TagBinding> bindings,
                                              const OperationLimits& limits) {
  auto namespaces = read_namespaces(client);
  if (!namespaces) return std::unexpected(namespaces.error());
  std::vector<Candidate> candidates;
  for (std::size_t tag = 0; tag < bindings.size(); ++tag) {
    auto readings = parse_node_path(bindings[tag].node);
    if (!readings)
      return fail(readings.error().code, std::format("tag '{}': {}", bindings[tag].name, readings.error().message));
    for (auto& reading : *readings) {
      auto node = node_of(reading, *namespaces);
      if (!node) return fail(node.error().code, std::format("{}: {}", where(bindings[tag]), node.error().message));
      candidates.push_back({tag, std::move(reading), std::move(*node)});
    }
  }
  std::vector<Attribute> attributes;
  for (const auto& candidate : candidates)
    for (const UA_UInt32 id : kAttributes) attributes.push_back({&*candidate.node, id});
  auto values = read_attributes(client, attributes, limits.read);
  if (!values) return std::unexpected(values.error());

  std::vector<ResolvedTag> tags(bindings.size());
  std::vector<bool> resolved(bindings.size(), false);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    auto& candidate = candidates[i];
    const auto* v = &(*values)[i * kAttributes.size()];
    const NodeFacts facts{v[0], v[1], v[2], v[3], v[4], v[5]};
    if (resolved[candidate.tag] || !facts.exists()) continue;
    resolved[candidate.tag] = true;
    const auto& binding = bindings[candidate.tag];
    auto& tag = tags[candidate.tag];
    tag.node = std::move(candidate.node);
    tag.path = std::move(candidate.path);
    tag.elements = binding.elements;
    tag.has_history = facts.has_access(UA_ACCESSLEVELMASK_HISTORYREAD);
    if (auto allowed = check_access(binding, facts); !allowed) return std::unexpected(allowed.error());
    if (auto fits = check_value(client, binding, facts, tag); !fits) return std::unexpected(fits.error());
  }
  for (std::size_t tag = 0; tag < bindings.size(); ++tag)
    if (!resolved[tag]) return fail(Errc::not_found, where(bindings[tag]) + ": the server has no such node");
  if (auto same = check_units(client, bindings, tags, limits); !same) return std::unexpected(same.error());
  return tags;
}

std::optional<double> element_number(const UA_Variant& value, const ResolvedTag& tag, std::size_t element) noexcept {
  if (value.type == nullptr || value.data == nullptr) return std::nullopt;
  const std::size_t index = tag.path.element ? *tag.path.element : element;
  const std::size_t length = UA_Variant_isScalar(&value) ? 1 : value.arrayLength;
  if (index >= length || (tag.path.element && UA_Variant_isScalar(&value))) return std::nullopt;
  const void* data = static_cast<const char*>(value.data) + index * value.type->memSize;
  const UA_DataType* type = value.type;
  if (type->typeKind == UA_DATATYPEKIND_EXTENSIONOBJECT) {
    const auto* object = static_cast<const UA_ExtensionObject*>(data);
    if (object->encoding != UA_EXTENSIONOBJECT_DECODED)
      return tag.structure ? tag.structure->number(*object, tag.path.fields) : std::nullopt;
    data = object->content.decoded.data;
    type = object->content.decoded.type;
  }
  return field_number(data, type, tag.path.fields);
}

}  // namespace rltune::plant
