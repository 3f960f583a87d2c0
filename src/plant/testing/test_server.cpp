#include "test_server.hpp"

#include <open62541/plugin/accesscontrol_default.h>
#include <open62541/plugin/historydata/history_data_backend_memory.h>
#include <open62541/plugin/historydata/history_data_gathering_default.h>
#include <open62541/plugin/historydata/history_database_default.h>
#include <open62541/server.h>
#include <open62541/server_config_default.h>

#include <format>
#include <thread>

#include "rltune/base/check.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/plant/opcua_trust.hpp"
#include "ua.hpp"

namespace rltune::plant {

struct TestServer::State {
  TestServerOptions options;
  UA_Server* server = nullptr;
  UA_UInt16 index = 0;
  UA_HistoryDataBackend history{};
  volatile UA_Boolean running = true;
  std::thread thread;

  UA_NodeId node(const std::string& name) const { return UA_NODEID_STRING(index, const_cast<char*>(name.c_str())); }
  bool has(const std::string& name) const { return !std::ranges::contains(options.without, name); }
};

namespace {

using State = TestServer::State;

void quiet(void*, UA_LogLevel, UA_LogCategory, const char*, va_list) {}

void configure(State& state) {
  auto& options = state.options;
  UA_ServerConfig settings{};
  auto* config = &settings;
  config->logging = static_cast<UA_Logger*>(UA_calloc(1, sizeof(UA_Logger)));
  const_cast<UA_Logger*>(config->logging)->log = quiet;
  const_cast<UA_Logger*>(config->logging)->clear = [](UA_Logger* logger) { UA_free(logger); };
  auto pki = OpcuaPki::open(options.pki);
  RLTUNE_CHECK(pki.has_value());
  if (options.identity.certificate.empty())
    options.identity = *pki->identity({.application_uri = options.application_uri, .hosts = {"localhost", "127.0.0.1"}},
                                      WallClock().now());
  const UA_ByteString certificate = view_of(options.identity.certificate);
  const UA_ByteString key = view_of(options.identity.key);
  const auto set = options.offer_none ? UA_ServerConfig_setDefaultWithSecurityPolicies
                                      : UA_ServerConfig_setDefaultWithSecureSecurityPolicies;
  RLTUNE_CHECK(set(config, options.port, &certificate, &key, nullptr, 0, nullptr, 0, nullptr, 0) == UA_STATUSCODE_GOOD);
  if (!options.offer_none) {
    // Discovery needs the policy None; sessions must not have it.
    RLTUNE_CHECK(UA_ServerConfig_addSecurityPolicyNone(config, &certificate) == UA_STATUSCODE_GOOD);
    config->securityPolicyNoneDiscoveryOnly = true;
  }
  install_trust(config->secureChannelPKI, *pki);
  install_trust(config->sessionPKI, *pki);
  UA_String_clear(&config->applicationDescription.applicationUri);
  config->applicationDescription.applicationUri = copy_of(options.application_uri);
  for (std::size_t i = 0; i < config->endpointsSize; ++i) {
    UA_String_clear(&config->endpoints[i].server.applicationUri);
    config->endpoints[i].server.applicationUri = copy_of(options.application_uri);
  }
  const UA_UsernamePasswordLogin login{view_of(options.user), view_of(options.password)};
  RLTUNE_CHECK(UA_AccessControl_default(config, options.allow_anonymous, nullptr, 1, &login) == UA_STATUSCODE_GOOD);
  config->publishingIntervalLimits.min = options.publishing_interval_ms_min;
  config->samplingIntervalLimits.min = options.sampling_interval_ms_min;
  config->tcpReuseAddr = true;
  config->maxSessions = options.sessions_max;
  config->maxNodesPerRead = config->maxNodesPerWrite = config->maxNodesPerBrowse = config->maxMonitoredItemsPerCall =
      config->maxNodesPerTranslateBrowsePathsToNodeIds = options.operation_limit;
  state.server = UA_Server_newWithConfig(config);
}

struct VariableOptions {
  const UA_DataType* type = nullptr;
  const void* value = nullptr;
  std::size_t length = 0;  // 0: a scalar
  bool writable = false;
  bool history = false;
};

void add_variable(State& state, const std::string& name, const VariableOptions& options) {
  if (!state.has(name)) return;
  UA_VariableAttributes attributes = UA_VariableAttributes_default;
  if (options.length == 0)
    UA_Variant_setScalar(&attributes.value, const_cast<void*>(options.value), options.type);
  else
    UA_Variant_setArray(&attributes.value, const_cast<void*>(options.value), options.length, options.type);
  UA_UInt32 dimensions = 0;
  if (options.length > 0) {
    attributes.valueRank = UA_VALUERANK_ONE_DIMENSION;
    attributes.arrayDimensions = &dimensions;
    attributes.arrayDimensionsSize = 1;
  }
  attributes.dataType = options.type->typeId;
  attributes.displayName = UA_LOCALIZEDTEXT(const_cast<char*>("en"), const_cast<char*>(name.c_str()));
  attributes.description = UA_LOCALIZEDTEXT(const_cast<char*>("en"), const_cast<char*>("A node of the test server"));
  attributes.accessLevel =
      static_cast<UA_Byte>(UA_ACCESSLEVELMASK_READ | (options.writable ? UA_ACCESSLEVELMASK_WRITE : 0) |
                           (options.history ? UA_ACCESSLEVELMASK_HISTORYREAD : 0));
  attributes.historizing = options.history;
  const auto status = UA_Server_addVariableNode(
      state.server, state.node(name), UA_NODEID_NUMERIC(0, UA_NS0ID_OBJECTSFOLDER),
      UA_NODEID_NUMERIC(0, UA_NS0ID_ORGANIZES), UA_QUALIFIEDNAME(state.index, const_cast<char*>(name.c_str())),
      UA_NODEID_NUMERIC(0, UA_NS0ID_BASEDATAVARIABLETYPE), attributes, nullptr, nullptr);
  if (status != UA_STATUSCODE_GOOD) std::println(stderr, "{}: {}", name, UA_StatusCode_name(status));
  RLTUNE_CHECK(status == UA_STATUSCODE_GOOD);
}

void add_property(State& state, const std::string& owner, const char* name, const void* value,
                  const UA_DataType* type) {
  if (!state.has(owner)) return;
  UA_VariableAttributes attributes = UA_VariableAttributes_default;
  UA_Variant_setScalar(&attributes.value, const_cast<void*>(value), type);
  attributes.dataType = type->typeId;
  const auto status = UA_Server_addVariableNode(
      state.server, UA_NODEID_NULL, state.node(owner), UA_NODEID_NUMERIC(0, UA_NS0ID_HASPROPERTY),
      UA_QUALIFIEDNAME(0, const_cast<char*>(name)), UA_NODEID_NUMERIC(0, UA_NS0ID_PROPERTYTYPE), attributes, nullptr,
      nullptr);
  RLTUNE_CHECK(status == UA_STATUSCODE_GOOD);
}

void add_units(State& state, const std::string& owner, const char* name, UA_Int32 code, double low, double high) {
  UA_EUInformation units;
  UA_EUInformation_init(&units);
  units.unitId = code;
  units.displayName = UA_LOCALIZEDTEXT(const_cast<char*>("en"), const_cast<char*>(name));
  add_property(state, owner, "EngineeringUnits", &units, &UA_TYPES[UA_TYPES_EUINFORMATION]);
  const UA_Range range{low, high};
  add_property(state, owner, "EURange", &range, &UA_TYPES[UA_TYPES_RANGE]);
}

template <typename T>
void add_scalar(State& state, const std::string& name, T value, int type, bool writable = true) {
  add_variable(state, name, {.type = &UA_TYPES[type], .value = &value, .writable = writable});
}

void add_nodes(State& state) {
  add_scalar<UA_Boolean>(state, "Boolean", true, UA_TYPES_BOOLEAN);
  add_scalar<UA_SByte>(state, "SByte", -8, UA_TYPES_SBYTE);
  add_scalar<UA_Byte>(state, "Byte", 8, UA_TYPES_BYTE);
  add_scalar<UA_Int16>(state, "Int16", -16, UA_TYPES_INT16);
  add_scalar<UA_UInt16>(state, "UInt16", 16, UA_TYPES_UINT16);
  add_scalar<UA_Int32>(state, "Int32", -32, UA_TYPES_INT32);
  add_scalar<UA_UInt32>(state, "UInt32", 32, UA_TYPES_UINT32);
  add_scalar<UA_Int64>(state, "Int64", -64, UA_TYPES_INT64);
  add_scalar<UA_UInt64>(state, "UInt64", 64, UA_TYPES_UINT64);
  add_scalar<UA_Float>(state, "Float", 0.5f, UA_TYPES_FLOAT);
  add_scalar<UA_Double>(state, "Double", 0.25, UA_TYPES_DOUBLE);
  add_scalar<UA_DateTime>(state, "DateTime", UA_DATETIME_UNIX_EPOCH + 15 * UA_DATETIME_SEC / 10, UA_TYPES_DATETIME);
  add_scalar<UA_String>(state, "String", UA_STRING(const_cast<char*>("text")), UA_TYPES_STRING);
  add_scalar<UA_ServerState>(state, "Mode", UA_SERVERSTATE_SUSPENDED, UA_TYPES_SERVERSTATE);  // 3
  add_scalar<UA_Double>(state, "ReadOnly", 1.0, UA_TYPES_DOUBLE, false);
  add_scalar<UA_Double>(state, "Channel1.Device1.Tag[3]", 3.5, UA_TYPES_DOUBLE);
  const UA_Double temperature = 20.0;
  add_variable(state, "Temperature",
               {.type = &UA_TYPES[UA_TYPES_DOUBLE], .value = &temperature, .writable = true, .history = true});
  add_units(state, "Temperature", "°C", 4408652, -20.0, 60.0);
  const std::array<UA_Double, 4> forecast{1.0, 2.0, 3.0, 4.0};
  add_variable(
      state, "Forecast",
      {.type = &UA_TYPES[UA_TYPES_DOUBLE], .value = forecast.data(), .length = forecast.size(), .writable = true});
  const UA_Range range{-5.0, 5.0};
  add_variable(state, "Limits", {.type = &UA_TYPES[UA_TYPES_RANGE], .value = &range});
  add_variable(state, "WritableLimits", {.type = &UA_TYPES[UA_TYPES_RANGE], .value = &range, .writable = true});
  for (int i = 0; i < 25; ++i) add_scalar<UA_Double>(state, std::format("Many{}", i), i, UA_TYPES_DOUBLE);
}

void add_history_store(State& state) {
  auto* config = UA_Server_getConfig(state.server);
  auto gathering = UA_HistoryDataGathering_Default(1);
  state.history = UA_HistoryDataBackend_Memory(1, 10'000);
  config->historyDatabase = UA_HistoryDatabase_default(gathering);
  if (!state.has("Temperature")) return;
  UA_HistorizingNodeIdSettings setting{};
  setting.historizingBackend = state.history;
  setting.maxHistoryDataResponseSize = 5;  // small: continuation points are for use
  setting.historizingUpdateStrategy = UA_HISTORIZINGUPDATESTRATEGY_VALUESET;
  const std::string name = "Temperature";  // node() refers to it
  const UA_NodeId node = state.node(name);
  gathering.registerNodeId(state.server, gathering.context, &node, setting);
}

}  // namespace

TestServer::TestServer(TestServerOptions options) : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
  configure(*state_);
  if (state_->options.shift_namespace) UA_Server_addNamespace(state_->server, "urn:rltune:test:other");
  state_->index = UA_Server_addNamespace(state_->server, kNamespace);
  add_history_store(*state_);
  add_nodes(*state_);
  RLTUNE_CHECK(UA_Server_run_startup(state_->server) == UA_STATUSCODE_GOOD);
  state_->thread = std::thread([state = state_.get()] {
    while (state->running) UA_Server_run_iterate(state->server, true);
  });
}

TestServer::~TestServer() {
  state_->running = false;
  state_->thread.join();
  UA_Server_run_shutdown(state_->server);
  UA_Server_delete(state_->server);
  if (state_->history.context != nullptr) UA_HistoryDataBackend_Memory_clear(&state_->history);
}

std::string TestServer::url() const { return std::format("opc.tcp://127.0.0.1:{}", state_->options.port); }

void TestServer::set(const std::string& node, double value, std::uint32_t status, TimePoint source_time) {
  UA_DataValue data{};
  UA_Variant_setScalar(&data.value, &value, &UA_TYPES[UA_TYPES_DOUBLE]);
  data.hasValue = true;
  data.status = status;
  data.hasStatus = status != 0;
  data.sourceTimestamp = source_time == TimePoint{} ? UA_DateTime_now() : to_ua_time(source_time);
  data.hasSourceTimestamp = true;
  RLTUNE_CHECK(UA_Server_writeDataValue(state_->server, state_->node(node), data) == UA_STATUSCODE_GOOD);
}

void TestServer::set_element(const std::string& node, std::size_t element, double value) {
  UA_Variant array;
  RLTUNE_CHECK(UA_Server_readValue(state_->server, state_->node(node), &array) == UA_STATUSCODE_GOOD);
  static_cast<double*>(array.data)[element] = value;
  UA_Server_writeValue(state_->server, state_->node(node), array);
  UA_Variant_clear(&array);
}

double TestServer::get(const std::string& node) const {
  UA_Variant value;
  RLTUNE_CHECK(UA_Server_readValue(state_->server, state_->node(node), &value) == UA_STATUSCODE_GOOD);
  const double number = *static_cast<double*>(value.data);
  UA_Variant_clear(&value);
  return number;
}

void TestServer::add_history(const std::string& node, double value, TimePoint source_time) {
  UA_DataValue data{};
  UA_Variant_setScalar(&data.value, &value, &UA_TYPES[UA_TYPES_DOUBLE]);
  data.hasValue = true;
  data.sourceTimestamp = data.serverTimestamp = to_ua_time(source_time);
  data.hasSourceTimestamp = data.hasServerTimestamp = true;
  const UA_NodeId id = state_->node(node);
  state_->history.serverSetHistoryData(state_->server, state_->history.context, nullptr, nullptr, &id, true, &data);
}

void TestServer::renew(const Identity& identity) {
  const UA_ByteString before = view_of(state_->options.identity.certificate), now = view_of(identity.certificate),
                      key = view_of(identity.key);
  RLTUNE_CHECK(UA_Server_updateCertificate(state_->server, &before, &now, &key, true, true) == UA_STATUSCODE_GOOD);
  state_->options.identity = identity;
}

void TestServer::close_sessions() {
  // The library tells no session identifiers; the server's own diagnostics do.
  UA_Variant diagnostics;
  const UA_NodeId node =
      UA_NODEID_NUMERIC(0, UA_NS0ID_SERVER_SERVERDIAGNOSTICS_SESSIONSDIAGNOSTICSSUMMARY_SESSIONDIAGNOSTICSARRAY);
  RLTUNE_CHECK(UA_Server_readValue(state_->server, node, &diagnostics) == UA_STATUSCODE_GOOD);
  for (std::size_t i = 0; i < diagnostics.arrayLength; ++i)
    UA_Server_closeSession(state_->server, &static_cast<UA_SessionDiagnosticsDataType*>(diagnostics.data)[i].sessionId);
  UA_Variant_clear(&diagnostics);
}

}  // namespace rltune::plant
