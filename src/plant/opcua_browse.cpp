#include "rltune/plant/opcua_browse.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cmath>
#include <deque>
#include <set>

#include "opcua_nodes.hpp"

namespace rltune::plant {
namespace {

struct Found {
  UaNodeId node;
  std::string name;
  std::string path;
  UA_NodeClass node_class = UA_NODECLASS_UNSPECIFIED;
};

std::string key_of(const UA_NodeId& node) {
  UA_String text{};
  UA_NodeId_print(&node, &text);
  std::string key(text_of(text));
  UA_String_clear(&text);
  return key;
}

// Walks the tree breadth first, each node once: address spaces have loops.
class Walk {
 public:
  Walk(OpcuaClient& client, const OperationLimits& limits, const BrowseOptions& options)
      : client_(client), limits_(limits), options_(options) {}

  Result<std::vector<Found>> from(const UA_NodeId& root) {
    Found start;
    UA_NodeId_copy(&root, &*start.node);
    seen_.insert(key_of(root));
    std::deque<Found> open;
    open.push_back(std::move(start));
    while (!open.empty() && variables_.size() < options_.variables_max) {
      std::vector<Found> level;
      for (; !open.empty() && level.size() < limits_.browse; open.pop_front()) level.push_back(std::move(open.front()));
      if (auto done = children(level, open); !done) return std::unexpected(done.error());
    }
    return std::move(variables_);
  }

 private:
  Result<> children(std::vector<Found>& parents, std::deque<Found>& open) {
    BrowseService::Request request;
    request->nodesToBrowse =
        static_cast<UA_BrowseDescription*>(UA_Array_new(parents.size(), &UA_TYPES[UA_TYPES_BROWSEDESCRIPTION]));
    request->nodesToBrowseSize = parents.size();
    for (std::size_t i = 0; i < parents.size(); ++i) {
      auto& item = request->nodesToBrowse[i];
      UA_NodeId_copy(&*parents[i].node, &item.nodeId);
      item.browseDirection = UA_BROWSEDIRECTION_FORWARD;
      item.referenceTypeId = UA_NODEID_NUMERIC(0, UA_NS0ID_HIERARCHICALREFERENCES);
      item.includeSubtypes = true;
      item.nodeClassMask = UA_NODECLASS_OBJECT | UA_NODECLASS_VARIABLE;
      item.resultMask = UA_BROWSERESULTMASK_ALL;
    }
    auto answer = client_.call<BrowseService>(request, "Browse");
    if (!answer) return std::unexpected(answer.error());
    for (std::size_t i = 0; i < std::min(parents.size(), (*answer)->resultsSize); ++i)
      if (auto done = take_all((*answer)->results[i], parents[i], open); !done) return done;
    return {};
  }

  Result<> take_all(UA_BrowseResult& result, const Found& parent, std::deque<Found>& open) {
    take(result, parent, open);
    Ua<UA_ByteString, UA_TYPES_BYTESTRING> continuation;
    std::swap(*continuation, result.continuationPoint);
    while (continuation->length > 0) {
      BrowseNextService::Request request;
      request->continuationPoints = UA_ByteString_new();
      request->continuationPointsSize = 1;
      std::swap(*request->continuationPoints, *continuation);
      auto answer = client_.call<BrowseNextService>(request, "BrowseNext");
      if (!answer) return std::unexpected(answer.error());
      if ((*answer)->resultsSize != 1) return fail(Errc::io, "BrowseNext: the server answered for other nodes");
      take((*answer)->results[0], parent, open);
      UA_ByteString_clear(&*continuation);
      std::swap(*continuation, (*answer)->results[0].continuationPoint);
    }
    return {};
  }

  void take(const UA_BrowseResult& result, const Found& parent, std::deque<Found>& open) {
    for (std::size_t i = 0; i < result.referencesSize; ++i) {
      const UA_ReferenceDescription& reference = result.references[i];
      if (!is_wanted(reference)) continue;
      if (!seen_.insert(key_of(reference.nodeId.nodeId)).second) continue;
      Found child = describe(reference, parent);
      if (reference.nodeClass == UA_NODECLASS_VARIABLE) {
        Found copy = describe(reference, parent);
        variables_.push_back(std::move(copy));
      }
      open.push_back(std::move(child));
    }
  }

  bool is_wanted(const UA_ReferenceDescription& reference) const {
    const UA_NodeId property = UA_NODEID_NUMERIC(0, UA_NS0ID_HASPROPERTY);
    const UA_NodeId server = UA_NODEID_NUMERIC(0, UA_NS0ID_SERVER);
    if (reference.nodeId.serverIndex != 0 || UA_NodeId_equal(&reference.referenceTypeId, &property)) return false;
    return options_.with_server_object || !UA_NodeId_equal(&reference.nodeId.nodeId, &server);
  }

  static Found describe(const UA_ReferenceDescription& reference, const Found& parent) {
    Found found;
    UA_NodeId_copy(&reference.nodeId.nodeId, &*found.node);
    found.name = text_of(reference.browseName.name);
    const std::string display(text_of(reference.displayName.text));
    found.path = (parent.path.empty() ? "" : parent.path + "/") + (display.empty() ? found.name : display);
    found.node_class = reference.nodeClass;
    return found;
  }

  OpcuaClient& client_;
  const OperationLimits& limits_;
  const BrowseOptions& options_;
  std::set<std::string> seen_;
  std::vector<Found> variables_;
};

constexpr std::array<UA_UInt32, 5> kAttributes{UA_ATTRIBUTEID_DATATYPE, UA_ATTRIBUTEID_ACCESSLEVEL,
                                               UA_ATTRIBUTEID_USERACCESSLEVEL, UA_ATTRIBUTEID_DESCRIPTION,
                                               UA_ATTRIBUTEID_VALUE};

template <typename T>
const T* scalar(const UaDataValue& value, int type) {
  if (!value->hasValue || !UA_Variant_hasScalarType(&value->value, &UA_TYPES[type])) return nullptr;
  return static_cast<const T*>(value->value.data);
}

// The name of a data type: the library's for standard ones, else the type node's browse name.
Result<std::string> data_type_name(OpcuaClient& client, const UA_NodeId& type) {
  if (const auto* known = UA_findDataType(&type)) return known->typeName;
  const Attribute attribute{&type, UA_ATTRIBUTEID_BROWSENAME};
  auto values = read_attributes(client, {&attribute, 1}, 1);
  if (!values) return std::unexpected(values.error());
  const auto* name = scalar<UA_QualifiedName>((*values)[0], UA_TYPES_QUALIFIEDNAME);
  return name != nullptr ? std::string(text_of(name->name)) : "";
}

struct TypeFacts {
  std::string name;
  bool is_number = false;
};

class Describer {
 public:
  Describer(OpcuaClient& client, std::vector<std::string> namespaces)
      : client_(client), namespaces_(std::move(namespaces)) {}

  Result<BrowsedVariable> describe(const Found& found, const UaDataValue* v, const EngineeringProperties& properties) {
    BrowsedVariable out;
    auto path = path_of(*found.node, namespaces_);
    if (!path) return std::unexpected(path.error());
    out.node = format_node_path(*path);
    out.path = found.path;
    out.name = found.name;
    if (const auto* type = scalar<UA_NodeId>(v[0], UA_TYPES_NODEID)) {
      auto facts = type_facts(*type);
      if (!facts) return std::unexpected(facts.error());
      out.data_type = facts->name;
      out.is_number = facts->is_number;
    }
    const auto* access = scalar<UA_Byte>(v[1], UA_TYPES_BYTE);
    const auto* user = scalar<UA_Byte>(v[2], UA_TYPES_BYTE);
    const unsigned bits = (access != nullptr ? *access : 0u) & (user != nullptr ? *user : 0xffu);
    out.readable = (bits & UA_ACCESSLEVELMASK_READ) != 0;
    out.writable = (bits & UA_ACCESSLEVELMASK_WRITE) != 0;
    out.has_history = (bits & UA_ACCESSLEVELMASK_HISTORYREAD) != 0;
    if (const auto* text = scalar<UA_LocalizedText>(v[3], UA_TYPES_LOCALIZEDTEXT))
      out.description = text_of(text->text);
    const UA_Variant& value = v[4]->value;
    if (!UA_Variant_isEmpty(&value) && !UA_Variant_isScalar(&value))
      out.elements = value.arrayLength;
    else if (const auto number = number_of(value.data, value.type); number && std::isfinite(*number))
      out.value = number;
    if (properties.units) out.unit = text_of((*properties.units)->displayName.text);
    if (properties.range) {
      out.low = properties.range->low;
      out.high = properties.range->high;
    }
    return out;
  }

 private:
  Result<TypeFacts> type_facts(const UA_NodeId& type) {
    const auto key = key_of(type);
    if (const auto known = types_.find(key); known != types_.end()) return known->second;
    auto name = data_type_name(client_, type);
    if (!name) return std::unexpected(name.error());
    auto number = number_type_of(client_, type);
    if (!number) return std::unexpected(number.error());
    return types_[key] = {*name, *number != nullptr};
  }

  OpcuaClient& client_;
  std::vector<std::string> namespaces_;
  std::map<std::string, TypeFacts> types_;
};

Result<std::vector<BrowsedVariable>> describe_all(OpcuaClient& client, const std::vector<Found>& found,
                                                  std::vector<std::string> namespaces, const OperationLimits& limits) {
  std::vector<Attribute> attributes;
  std::vector<const UA_NodeId*> nodes;
  for (const auto& variable : found) {
    nodes.push_back(&*variable.node);
    for (const UA_UInt32 id : kAttributes) attributes.push_back({&*variable.node, id});
  }
  auto values = read_attributes(client, attributes, limits.read);
  if (!values) return std::unexpected(values.error());
  auto properties = read_engineering(client, nodes, limits);
  if (!properties) return std::unexpected(properties.error());
  Describer describer(client, std::move(namespaces));
  std::vector<BrowsedVariable> all;
  for (std::size_t i = 0; i < found.size(); ++i) {
    auto variable = describer.describe(found[i], &(*values)[i * kAttributes.size()], (*properties)[i]);
    if (!variable) return std::unexpected(variable.error());
    all.push_back(std::move(*variable));
  }
  return all;
}

Result<UaNodeId> start_node(const std::string& root, std::span<const std::string> namespaces) {
  auto readings = parse_node_path(root.empty() ? "i=85" : root);
  if (!readings) return std::unexpected(readings.error());
  return node_of(readings->front(), namespaces);
}

}  // namespace

Result<std::vector<BrowsedVariable>> browse(const OpcuaOptions& options, const BrowseOptions& browse_options) {
  const std::atomic<bool> stop = false;
  struct Descriptor {
    int value = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    ~Descriptor() { ::close(value); }
  } wake;
  OpcuaClient client(options, wake.value, stop);
  if (auto connected = client.connect(); !connected) return std::unexpected(connected.error());
  auto limits = read_limits(client);
  if (!limits) return std::unexpected(limits.error());
  auto namespaces = read_namespaces(client);
  if (!namespaces) return std::unexpected(namespaces.error());
  auto root = start_node(browse_options.root, *namespaces);
  if (!root) return std::unexpected(root.error());
  auto found = Walk(client, *limits, browse_options).from(**root);
  if (!found) return std::unexpected(found.error());
  auto all = describe_all(client, *found, std::move(*namespaces), *limits);
  client.close(true);
  return all;
}

}  // namespace rltune::plant
