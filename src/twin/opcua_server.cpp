#include "opcua_server.hpp"

#include <arpa/inet.h>
#include <open62541/plugin/accesscontrol_default.h>
#include <open62541/plugin/historydata/history_data_backend_memory.h>
#include <open62541/plugin/historydata/history_data_gathering_default.h>
#include <open62541/plugin/historydata/history_database_default.h>
#include <open62541/server.h>
#include <open62541/server_config_default.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <thread>

#include "engineering_unit.hpp"
#include "opcua_convert.hpp"
#include "rltune/base/check.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/sha256.hpp"
#include "rltune/plant/opcua_trust.hpp"

namespace rltune::twin {
namespace {

constexpr UA_UInt16 kNamespace = 1;  // open62541 gives the application URI index 1
constexpr std::string_view kPolicies = "http://opcfoundation.org/UA/SecurityPolicy#";
constexpr std::array kSecure{"Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"};

UA_String borrow(std::string_view text) noexcept {
  return {text.size(), reinterpret_cast<UA_Byte*>(const_cast<char*>(text.data()))};
}
std::string_view view(const UA_String& text) noexcept {
  return {reinterpret_cast<const char*>(text.data), text.length};
}
UA_NodeId string_id(const std::string& name) noexcept {
  return {kNamespace, UA_NODEIDTYPE_STRING, {.string = borrow(name)}};
}
UA_NodeId ns0(UA_UInt32 id) noexcept { return UA_NODEID_NUMERIC(0, id); }
UA_QualifiedName name_of(const std::string& name) noexcept { return {kNamespace, borrow(name)}; }
UA_LocalizedText text_of(std::string_view text) noexcept { return {borrow("en"), borrow(text)}; }

Error failed(std::string_view what, UA_StatusCode status) {
  return {Errc::internal, std::format("OPC UA server: {}: {}", what, UA_StatusCode_name(status))};
}

// open62541's own messages. A client that went away is an error to it and everyday life to us.
void log_message(void*, UA_LogLevel level, UA_LogCategory category, const char* format, va_list arguments) {
  std::array<char, 512> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  if (level >= UA_LOGLEVEL_ERROR && category != UA_LOGCATEGORY_NETWORK)
    log::warning(text.data());
  else if (level >= UA_LOGLEVEL_WARNING)
    log::debug(text.data());
}

// Two servers may listen on one port, and share its clients by chance: open62541 asks for that. So ask before.
bool port_is_free(const std::string& address, std::uint16_t port) {
  if (port == 0) return true;
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  ::inet_pton(AF_INET, address.c_str(), &where.sin_addr);
  const bool free = ::bind(probe, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0 || errno != EADDRINUSE;
  ::close(probe);
  return free;
}

}  // namespace

struct OpcuaServer::State {
  struct Node {
    State* state = nullptr;
    std::size_t tag = 0;
  };

  ServerOptions options;
  TagHost* host = nullptr;
  UA_Logger logger{log_message, nullptr, nullptr};
  UA_Server* server = nullptr;
  std::vector<Node> nodes;
  UA_HistoryDataGathering gathering{};
  UA_HistoryDataBackend history{};
  std::vector<std::size_t> history_counts;
  std::vector<UA_DateTime> history_times;  // of each tag's newest
  std::vector<std::string> password_hashes;
  bool publishing = false;
  bool running = false;
  std::string url;

  ~State();
  Result<> configure(UA_ServerConfig& config, const plant::Identity& identity, const plant::OpcuaPki& pki);
  Result<> secure(UA_ServerConfig& config, const plant::Identity& identity, const plant::OpcuaPki& pki);
  Result<> admit(UA_ServerConfig& config);
  void limit(UA_ServerConfig& config) const;
  Result<> add_tags();
  UA_StatusCode add_folder(const std::string& name, const UA_NodeId& parent);
  UA_StatusCode add_tag(std::size_t tag);
  UA_StatusCode add_properties(const TagSpec& spec);
  UA_StatusCode add_property(const std::string& owner, const char* name, const void* value, const UA_DataType* type);
  void remember(std::size_t tag);
  UA_DataValue data_value(std::size_t tag) const;
};

namespace {

using State = OpcuaServer::State;

State::Node& node_of(void* context) { return *static_cast<State::Node*>(context); }

UA_StatusCode read_tag(UA_Server*, const UA_NodeId*, void*, const UA_NodeId*, void* context, UA_Boolean,
                       const UA_NumericRange* range, UA_DataValue* out) {
  const State::Node& node = node_of(context);
  UA_DataValue value = node.state->data_value(node.tag);
  if (range == nullptr) {
    *out = value;
    return UA_STATUSCODE_GOOD;
  }
  UA_Variant whole = value.value;
  UA_Variant_init(&value.value);
  const UA_StatusCode status = UA_Variant_copyRange(&whole, &value.value, *range);
  UA_Variant_clear(&whole);
  *out = value;
  return status;
}

UA_StatusCode write_tag(UA_Server*, const UA_NodeId*, void* session, const UA_NodeId*, void* context,
                        const UA_NumericRange* range, const UA_DataValue* value) {
  const State::Node& node = node_of(context);
  if (node.state->publishing) return UA_STATUSCODE_GOOD;  // publish() only wakes the monitored items
  if (range != nullptr) return UA_STATUSCODE_BADWRITENOTSUPPORTED;
  if (!value->hasValue || (value->hasStatus && UA_StatusCode_isBad(value->status))) return UA_STATUSCODE_BADOUTOFRANGE;
  TagContent content;
  if (!from_variant(value->value, node.state->host->tags()[node.tag].kind, content))
    return UA_STATUSCODE_BADTYPEMISMATCH;
  const auto* user = static_cast<const User*>(session);
  const Role role = user != nullptr ? user->role : Role::host;
  const WriteStatus written = node.state->host->write(node.tag, content, role);
  if (written == WriteStatus::good) node.state->remember(node.tag);
  return to_status(written);
}

UA_StatusCode log_in(const UA_String* name, const UA_ByteString* password, std::size_t, const UA_UsernamePasswordLogin*,
                     void** session, void* context) {
  auto& state = *static_cast<State*>(context);
  const std::string hash = sha256(view(*password));  // comparing hashes tells nothing about the password
  for (std::size_t i = 0; i < state.options.users.size(); ++i) {
    if (state.options.users[i].name != view(*name) || state.password_hashes[i] != hash) continue;
    *session = &state.options.users[i];
    return UA_STATUSCODE_GOOD;
  }
  log::warning("refused a user", {{"user", std::string(view(*name))}});
  return UA_STATUSCODE_BADUSERACCESSDENIED;
}

UA_Byte access_level(UA_Server*, UA_AccessControl*, const UA_NodeId*, void* session, const UA_NodeId* node,
                     void* context) {
  constexpr UA_Byte kRead = UA_ACCESSLEVELMASK_READ | UA_ACCESSLEVELMASK_HISTORYREAD;
  if (node->namespaceIndex != kNamespace || context == nullptr) return kRead;
  const State::Node& tag = node_of(context);
  const auto* user = static_cast<const User*>(session);
  const bool operators = user != nullptr && user->role == Role::operators;
  const TagAccess access = tag.state->host->tags()[tag.tag].access;
  const bool writes = access == TagAccess::host || (access == TagAccess::operators && operators);
  return writes ? kRead | UA_ACCESSLEVELMASK_WRITE : kRead;
}

// No client changes the address space or the history.
void close_services(UA_AccessControl& access) {
  access.getUserAccessLevel = access_level;
  access.getUserRightsMask = [](UA_Server*, UA_AccessControl*, const UA_NodeId*, void*, const UA_NodeId*,
                                void*) -> UA_UInt32 { return 0; };
  access.allowAddNode = [](UA_Server*, UA_AccessControl*, const UA_NodeId*, void*,
                           const UA_AddNodesItem*) -> UA_Boolean { return false; };
  access.allowAddReference = [](UA_Server*, UA_AccessControl*, const UA_NodeId*, void*,
                                const UA_AddReferencesItem*) -> UA_Boolean { return false; };
  access.allowDeleteNode = [](UA_Server*, UA_AccessControl*, const UA_NodeId*, void*,
                              const UA_DeleteNodesItem*) -> UA_Boolean { return false; };
  access.allowDeleteReference = [](UA_Server*, UA_AccessControl*, const UA_NodeId*, void*,
                                   const UA_DeleteReferencesItem*) -> UA_Boolean { return false; };
  access.allowHistoryUpdateUpdateData = [](UA_Server*, UA_AccessControl*, const UA_NodeId*, void*, const UA_NodeId*,
                                           UA_PerformUpdateType, const UA_DataValue*) -> UA_Boolean { return false; };
  access.allowHistoryUpdateDeleteRawModified = [](UA_Server*, UA_AccessControl*, const UA_NodeId*, void*,
                                                  const UA_NodeId*, UA_DateTime, UA_DateTime,
                                                  bool) -> UA_Boolean { return false; };
}

}  // namespace

State::~State() {
  if (server == nullptr) return;
  if (running) UA_Server_run_shutdown(server);
  UA_Server_delete(server);
  if (history.context != nullptr) UA_HistoryDataBackend_Memory_clear(&history);
}

UA_DataValue State::data_value(std::size_t tag) const {
  const TagValue& value = host->value(tag);
  UA_DataValue out;
  UA_DataValue_init(&out);
  out.hasValue = to_variant(value.content, &out.value) == UA_STATUSCODE_GOOD;
  out.hasSourceTimestamp = true;
  out.sourceTimestamp = to_date_time(value.source_time);
  out.status = to_status(value.status);
  out.hasStatus = out.status != UA_STATUSCODE_GOOD;
  return out;
}

Result<> State::secure(UA_ServerConfig& config, const plant::Identity& identity, const plant::OpcuaPki& pki) {
  plant::install_trust(config.secureChannelPKI, pki);
  // Sessions: the certificate must name the client's application URI; a certificate alone logs nobody in.
  plant::install_trust(config.sessionPKI, pki);
  config.sessionPKI.verifyCertificate = nullptr;

  const UA_ByteString certificate = borrow(identity.certificate);
  const UA_ByteString key = borrow(identity.key);
  const std::array added{UA_ServerConfig_addSecurityPolicyNone(&config, &certificate),  // for discovery
                         UA_ServerConfig_addSecurityPolicyBasic256Sha256(&config, &certificate, &key),
                         UA_ServerConfig_addSecurityPolicyAes128Sha256RsaOaep(&config, &certificate, &key),
                         UA_ServerConfig_addSecurityPolicyAes256Sha256RsaPss(&config, &certificate, &key)};
  for (const UA_StatusCode status : added)
    if (status != UA_STATUSCODE_GOOD) return std::unexpected(failed("security policy", status));
  config.securityPolicyNoneDiscoveryOnly = !options.allow_none;
  for (const char* policy : kSecure) {
    const std::string uri = std::format("{}{}", kPolicies, policy);
    if (const auto status = UA_ServerConfig_addEndpoint(&config, borrow(uri), UA_MESSAGESECURITYMODE_SIGNANDENCRYPT);
        status != UA_STATUSCODE_GOOD)
      return std::unexpected(failed("endpoint", status));
  }
  if (options.allow_none)
    UA_ServerConfig_addEndpoint(&config, UA_SECURITY_POLICY_NONE_URI, UA_MESSAGESECURITYMODE_NONE);
  return {};
}

Result<> State::admit(UA_ServerConfig& config) {
  std::vector<UA_UsernamePasswordLogin> logins;
  for (const User& user : options.users) {
    logins.push_back({borrow(user.name), UA_STRING_NULL});
    password_hashes.push_back(sha256(user.password));
  }
  const std::string policy = std::format("{}Basic256Sha256", kPolicies);  // passwords travel encrypted, always
  const UA_ByteString policy_uri = borrow(policy);
  const auto status = UA_AccessControl_defaultWithLoginCallback(&config, false, &policy_uri, logins.size(),
                                                                logins.data(), log_in, this);
  if (status != UA_STATUSCODE_GOOD) return std::unexpected(failed("access control", status));
  close_services(config.accessControl);
  return {};
}

void State::limit(UA_ServerConfig& config) const {
  config.maxSessions = 20;
  config.maxSecureChannels = 40;
  config.maxNodesPerRead = config.maxNodesPerWrite = config.maxMonitoredItemsPerCall = 1000;
  config.maxNodesPerBrowse = 1000;
  config.queueSizeLimits = {1, 10000};
  config.publishingIntervalLimits = {1.0, options.event_driven ? 1.0 : 3600e3};
  // At one publishing cycle a millisecond, counts that clients chose for slower cycles would end a subscription
  // within milliseconds and keep the line busy: at least a minute of life, a sign of it every 200 ms.
  config.lifeTimeCountLimits = {options.event_driven ? 60000U : 3U, 1000000U};
  config.keepAliveCountLimits = {options.event_driven ? 200U : 1U, 10000U};
  // A sampling interval of 0 means event-driven to open62541.
  config.samplingIntervalLimits = {0.0, options.event_driven ? 0.0 : 24.0 * 3600e3};
}

Result<> State::configure(UA_ServerConfig& config, const plant::Identity& identity, const plant::OpcuaPki& pki) {
  config.logging = &logger;
  if (const auto status = UA_ServerConfig_setBasics_withPort(&config, options.port); status != UA_STATUSCODE_GOOD)
    return std::unexpected(failed("configuration", status));
  UA_Array_delete(config.serverUrls, config.serverUrlsSize, &UA_TYPES[UA_TYPES_STRING]);
  config.serverUrls = static_cast<UA_String*>(UA_Array_new(1, &UA_TYPES[UA_TYPES_STRING]));
  config.serverUrlsSize = 1;
  config.serverUrls[0] = UA_String_fromChars(std::format("opc.tcp://{}:{}", options.listen, options.port).c_str());
  UA_String_clear(&config.applicationDescription.applicationUri);
  config.applicationDescription.applicationUri = UA_String_fromChars(options.namespace_uri.c_str());
  UA_LocalizedText_clear(&config.applicationDescription.applicationName);
  config.applicationDescription.applicationName =
      UA_LOCALIZEDTEXT_ALLOC("en", ("RLTune twin " + options.plant).c_str());
  if (auto secured = secure(config, identity, pki); !secured) return secured;
  if (auto admitted = admit(config); !admitted) return admitted;
  limit(config);
  config.accessHistoryDataCapability = true;
  config.maxReturnDataValues = 0;
  gathering = UA_HistoryDataGathering_Default(host->tags().size());
  config.historyDatabase = UA_HistoryDatabase_default(gathering);
  return {};
}

UA_StatusCode State::add_folder(const std::string& name, const UA_NodeId& parent) {
  UA_ObjectAttributes attributes = UA_ObjectAttributes_default;
  attributes.displayName = text_of(name);
  const bool top = name == options.plant;
  return UA_Server_addObjectNode(server, string_id(name), parent, ns0(top ? UA_NS0ID_ORGANIZES : UA_NS0ID_HASCOMPONENT),
                                 name_of(name), ns0(top ? UA_NS0ID_BASEOBJECTTYPE : UA_NS0ID_FOLDERTYPE), attributes,
                                 nullptr, nullptr);
}

UA_StatusCode State::add_property(const std::string& owner, const char* name, const void* value,
                                  const UA_DataType* type) {
  UA_VariableAttributes attributes = UA_VariableAttributes_default;
  UA_Variant_setScalar(&attributes.value, const_cast<void*>(value), type);
  attributes.dataType = type->typeId;
  attributes.displayName = text_of(name);
  const std::string id = owner + "." + name;
  return UA_Server_addVariableNode(server, string_id(id), string_id(owner), ns0(UA_NS0ID_HASPROPERTY),
                                   {0, borrow(name)}, ns0(UA_NS0ID_PROPERTYTYPE), attributes, nullptr, nullptr);
}

UA_StatusCode State::add_properties(const TagSpec& spec) {
  UA_StatusCode status = UA_STATUSCODE_GOOD;
  if (spec.low < spec.high) {
    const UA_Range range{spec.low, spec.high};
    status = add_property(spec.name, "EURange", &range, &UA_TYPES[UA_TYPES_RANGE]);
  }
  if (status == UA_STATUSCODE_GOOD && !spec.unit.empty()) {
    const EngineeringUnit unit = engineering_unit(spec.unit);
    UA_EUInformation information{borrow("http://www.opcfoundation.org/UA/units/un/cefact"), unit.id, text_of(spec.unit),
                                 text_of(unit.description)};
    status = add_property(spec.name, "EngineeringUnits", &information, &UA_TYPES[UA_TYPES_EUINFORMATION]);
  }
  return status;
}

UA_StatusCode State::add_tag(std::size_t tag) {
  const TagSpec& spec = host->tags()[tag];
  UA_VariableAttributes attributes = UA_VariableAttributes_default;
  attributes.displayName = text_of(spec.name);
  attributes.description = text_of(spec.description);
  attributes.dataType = data_type(spec.kind)->typeId;
  UA_UInt32 length = static_cast<UA_UInt32>(spec.elements);
  attributes.valueRank = UA_VALUERANK_SCALAR;
  if (spec.kind == TagKind::reals) {
    attributes.valueRank = UA_VALUERANK_ONE_DIMENSION;
    attributes.arrayDimensions = &length;
    attributes.arrayDimensionsSize = 1;
  }
  attributes.accessLevel = UA_ACCESSLEVELMASK_READ;
  if (spec.access != TagAccess::read_only) attributes.accessLevel |= UA_ACCESSLEVELMASK_WRITE;
  if (spec.history) attributes.accessLevel |= UA_ACCESSLEVELMASK_HISTORYREAD;
  attributes.historizing = spec.history;

  const UA_NodeId id = string_id(spec.name);
  const UA_UInt32 type = spec.low < spec.high ? UA_NS0ID_ANALOGITEMTYPE : UA_NS0ID_BASEDATAVARIABLETYPE;
  UA_StatusCode status = UA_Server_addNode_begin(server, UA_NODECLASS_VARIABLE, id, string_id(spec.folder),
                                                 ns0(UA_NS0ID_HASCOMPONENT), name_of(spec.name), ns0(type), &attributes,
                                                 &UA_TYPES[UA_TYPES_VARIABLEATTRIBUTES], &nodes[tag], nullptr);
  if (status == UA_STATUSCODE_GOOD) status = UA_Server_setVariableNode_dataSource(server, id, {read_tag, write_tag});
  if (status == UA_STATUSCODE_GOOD) status = UA_Server_setVariableNodeDynamic(server, id, true);
  if (status == UA_STATUSCODE_GOOD) status = add_properties(spec);
  if (status == UA_STATUSCODE_GOOD) status = UA_Server_addNode_finish(server, id);
  if (status == UA_STATUSCODE_GOOD && spec.history) {
    const UA_HistorizingNodeIdSettings settings{history, 1000, UA_HISTORIZINGUPDATESTRATEGY_USER, 0, nullptr};
    status = gathering.registerNodeId(server, gathering.context, &id, settings);
  }
  return status;
}

Result<> State::add_tags() {
  history = UA_HistoryDataBackend_Memory(host->tags().size(), 256);
  history_counts.resize(host->tags().size());
  history_times.resize(host->tags().size());
  for (std::size_t tag = 0; tag < host->tags().size(); ++tag) nodes.push_back({this, tag});
  UA_StatusCode status = add_folder(options.plant, ns0(UA_NS0ID_OBJECTSFOLDER));
  std::vector<std::string> folders;
  for (std::size_t tag = 0; tag < host->tags().size() && status == UA_STATUSCODE_GOOD; ++tag) {
    const std::string& folder = host->tags()[tag].folder;
    if (std::ranges::find(folders, folder) == folders.end()) {
      folders.push_back(folder);
      status = add_folder(folder, string_id(options.plant));
    }
    if (status == UA_STATUSCODE_GOOD) status = add_tag(tag);
    if (status != UA_STATUSCODE_GOOD) return std::unexpected(failed("tag " + host->tags()[tag].name, status));
  }
  return {};
}

Result<std::unique_ptr<OpcuaServer>> OpcuaServer::start(const ServerOptions& options, const plant::OpcuaPki& pki,
                                                        TagHost& host) {
  const auto identity = pki.identity(
      {.application_uri = options.namespace_uri, .common_name = "RLTune twin " + options.plant}, WallClock().now());
  if (!identity) return std::unexpected(identity.error());
  if (!port_is_free(options.listen, options.port))
    return fail(Errc::io, std::format("{}:{} is taken; is another server there? Choose another --port", options.listen,
                                      options.port));
  auto state = std::make_unique<State>();
  state->options = options;
  state->host = &host;
  UA_ServerConfig config{};
  if (auto configured = state->configure(config, *identity, pki); !configured) {
    UA_ServerConfig_clean(&config);
    return std::unexpected(configured.error());
  }
  state->server = UA_Server_newWithConfig(&config);
  if (state->server == nullptr) return fail(Errc::internal, "OPC UA server: it could not be made");
  if (auto added = state->add_tags(); !added) return std::unexpected(added.error());
  const UA_StatusCode started = UA_Server_run_startup(state->server);
  state->running = started == UA_STATUSCODE_GOOD;
  const UA_ApplicationDescription& description = UA_Server_getConfig(state->server)->applicationDescription;
  if (started != UA_STATUSCODE_GOOD || description.discoveryUrlsSize == 0)
    return fail(Errc::io,
                std::format("cannot listen on {}:{}: {}", options.listen, options.port, UA_StatusCode_name(started)));
  state->url = view(description.discoveryUrls[0]);
  return std::unique_ptr<OpcuaServer>(new OpcuaServer(std::move(state)));
}

OpcuaServer::OpcuaServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
OpcuaServer::~OpcuaServer() = default;

// What a tag shows, and what was written to it, also where the next write follows within the same instant of the
// plant's clock: later entries are then a tick (100 ns) apart, so that their order shows. A wrong type, where a test
// asked for one, stays out. The oldest tenth goes when a tag's history is full.
void State::remember(std::size_t tag) {
  const TagSpec& spec = host->tags()[tag];
  UA_DataValue value = data_value(tag);
  const bool typed = spec.history && value.value.type == data_type(spec.kind);
  value.sourceTimestamp = std::max(value.sourceTimestamp, history_times[tag] + 1);
  const UA_NodeId id = string_id(spec.name);
  if (typed) {
    history_times[tag] = value.sourceTimestamp;
    history.serverSetHistoryData(server, history.context, nullptr, nullptr, &id, true, &value);
  }
  UA_DataValue_clear(&value);
  if (!typed || ++history_counts[tag] <= options.history_values) return;
  const std::size_t surplus = std::max<std::size_t>(1, options.history_values / 10);
  const UA_DataValue* last = history.getDataValue(server, history.context, nullptr, nullptr, &id, surplus);
  history.removeDataValue(server, history.context, nullptr, nullptr, &id, 0, last->sourceTimestamp);
  history_counts[tag] = history.getEnd(server, history.context, nullptr, nullptr, &id);
}

void OpcuaServer::publish(std::size_t tag) {
  const TagSpec& spec = state_->host->tags()[tag];
  UA_DataValue value = state_->data_value(tag);
  state_->remember(tag);
  UA_Double zero = 0.0;
  if (value.value.type != data_type(spec.kind)) {  // a wrong type shows when clients read
    UA_Variant_clear(&value.value);
    UA_Variant_setScalarCopy(&value.value, &zero, data_type(spec.kind));
  }
  state_->publishing = true;
  const UA_StatusCode status = UA_Server_writeDataValue(state_->server, string_id(spec.name), value);
  state_->publishing = false;
  UA_DataValue_clear(&value);
  RLTUNE_CHECK(status == UA_STATUSCODE_GOOD);
}

namespace {

// The loop rounds its wait for a timer down to whole milliseconds and would spin through the rest: a tenth of a
// processor where something is sampled every 10 ms. Short enough for a client that waits for its answer.
void rest_before_timer(UA_EventLoop& loop, std::chrono::milliseconds wait) {
  constexpr std::chrono::microseconds kRest(100);
  const UA_DateTime left = loop.nextCyclicTime(&loop) - loop.dateTime_nowMonotonic(&loop);
  if (wait > std::chrono::milliseconds(0) && left > 0 && left < UA_DATETIME_MSEC)
    std::this_thread::sleep_for(std::min(kRest, std::chrono::microseconds(left / UA_DATETIME_USEC)));
}

}  // namespace

void OpcuaServer::iterate(std::chrono::milliseconds wait) {
  UA_EventLoop* loop = UA_Server_getConfig(state_->server)->eventLoop;
  // open62541 takes the end of a connection for "nothing there yet" when errno still says EAGAIN from another call.
  errno = 0;
  // In lockstep clients wait for every answer, and nothing else is to be done meanwhile.
  if (!state_->options.event_driven) rest_before_timer(*loop, wait);
  loop->run(loop, static_cast<UA_UInt32>(wait.count()));
}

const std::string& OpcuaServer::url() const noexcept { return state_->url; }

std::uint64_t OpcuaServer::sessions() const noexcept {
  return UA_Server_getStatistics(state_->server).ss.currentSessionCount;
}

}  // namespace rltune::twin
