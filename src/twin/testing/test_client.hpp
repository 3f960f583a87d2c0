// An OPC UA client for tests of servers: open62541's, with security as a test asks for it, every call blocking.
#pragma once

#include <open62541/client.h>
#include <open62541/client_config_default.h>
#include <open62541/client_highlevel.h>
#include <open62541/client_subscriptions.h>
#include <open62541/plugin/pki_default.h>

#include <deque>
#include <filesystem>
#include <string>
#include <vector>

#include "rltune/plant/opcua_pki.hpp"

namespace rltune::twin::testing {

struct ClientOptions {
  std::string url;
  std::string user;  // empty: anonymous
  std::string password;
  const plant::Identity* identity = nullptr;  // null: policy None
  std::string application_uri = "urn:rltune:test:client";
  bool encrypted = true;  // false: policy None, where the identity protects the password alone
};

// A data change, as it arrived.
struct Change {
  std::size_t item = 0;
  double value = 0.0;
  bool has_value = false;
  std::int64_t source_time = 0;
  UA_StatusCode status = UA_STATUSCODE_GOOD;
  const UA_DataType* type = nullptr;
  std::vector<double> values;  // of an array
};

class TestClient {
 public:
  explicit TestClient(const ClientOptions& options) : client_(UA_Client_new()), user_(options) {
    UA_ClientConfig* config = UA_Client_getConfig(client_);
    if (options.identity != nullptr) {
      const UA_ByteString certificate = bytes(options.identity->certificate);
      const UA_ByteString key = bytes(options.identity->key);
      UA_ClientConfig_setDefaultEncryption(config, certificate, key, nullptr, 0, nullptr, 0);
      config->certificateVerification.clear(&config->certificateVerification);
      UA_CertificateVerification_AcceptAll(&config->certificateVerification);
      config->securityMode = options.encrypted ? UA_MESSAGESECURITYMODE_SIGNANDENCRYPT : UA_MESSAGESECURITYMODE_NONE;
      if (options.encrypted)
        config->securityPolicyUri = UA_STRING_ALLOC("http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256");
    } else {
      UA_ClientConfig_setDefault(config);
      config->securityMode = UA_MESSAGESECURITYMODE_NONE;
    }
    UA_String_clear(&config->clientDescription.applicationUri);
    config->clientDescription.applicationUri = UA_STRING_ALLOC(options.application_uri.c_str());
    config->logging->log = [](void*, UA_LogLevel, UA_LogCategory, const char*, va_list) {};
    config->timeout = 5000;
  }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;
  ~TestClient() { UA_Client_delete(client_); }

  UA_StatusCode connect() {
    if (user_.user.empty()) return UA_Client_connect(client_, user_.url.c_str());
    return UA_Client_connectUsername(client_, user_.url.c_str(), user_.user.c_str(), user_.password.c_str());
  }
  // A bare channel without security, as for discovery.
  UA_StatusCode connect_without_session() {
    UA_ClientConfig* config = UA_Client_getConfig(client_);
    config->noSession = true;
    config->endpoint.endpointUrl = UA_STRING_ALLOC(user_.url.c_str());
    config->endpoint.securityMode = UA_MESSAGESECURITYMODE_NONE;
    config->endpoint.securityPolicyUri = UA_STRING_ALLOC("http://opcfoundation.org/UA/SecurityPolicy#None");
    return UA_Client_connectSecureChannel(client_, user_.url.c_str());
  }
  UA_Client* get() noexcept { return client_; }

  static UA_NodeId node(const std::string& name) {
    return {
        1, UA_NODEIDTYPE_STRING, {.string = {name.size(), reinterpret_cast<UA_Byte*>(const_cast<char*>(name.data()))}}};
  }

  // NaN where it cannot be read as a number.
  double read(const std::string& name) {
    UA_Variant value;
    UA_Variant_init(&value);
    double out = std::numeric_limits<double>::quiet_NaN();
    if (UA_Client_readValueAttribute(client_, node(name), &value) == UA_STATUSCODE_GOOD) out = number(value);
    UA_Variant_clear(&value);
    return out;
  }
  template <typename T>
  UA_StatusCode write(const std::string& name, T value, int type) {
    UA_Variant variant;
    UA_Variant_setScalar(&variant, &value, &UA_TYPES[type]);
    return UA_Client_writeValueAttribute(client_, node(name), &variant);
  }
  UA_StatusCode write_real(const std::string& name, double value) { return write(name, value, UA_TYPES_DOUBLE); }
  UA_StatusCode write_count(const std::string& name, std::uint32_t value) {
    return write(name, value, UA_TYPES_UINT32);
  }
  UA_StatusCode write_text(const std::string& name, const std::string& value) {
    return write(name, UA_String{value.size(), reinterpret_cast<UA_Byte*>(const_cast<char*>(value.data()))},
                 UA_TYPES_STRING);
  }

  template <typename T>
  Result<T> read_structure(const std::string& name, int type) {
    UA_Variant value;
    UA_Variant_init(&value);
    const UA_StatusCode status = UA_Client_readValueAttribute(client_, node(name), &value);
    if (status != UA_STATUSCODE_GOOD || !UA_Variant_hasScalarType(&value, &UA_TYPES[type]))
      return fail(Errc::mismatch, UA_StatusCode_name(status));
    T out;
    UA_copy(value.data, &out, &UA_TYPES[type]);
    UA_Variant_clear(&value);
    return out;
  }

  // Raw history, oldest first.
  std::vector<Change> history(const std::string& name, std::int64_t from, std::int64_t to, UA_UInt32 page = 0) {
    std::vector<Change> out;
    const UA_NodeId id = node(name);
    history_status_ = UA_Client_HistoryRead_raw(
        client_, &id,
        [](UA_Client*, const UA_NodeId*, UA_Boolean, const UA_ExtensionObject* data, void* into) -> UA_Boolean {
          const auto* values = static_cast<const UA_HistoryData*>(data->content.decoded.data);
          for (std::size_t i = 0; i < values->dataValuesSize; ++i)
            static_cast<std::vector<Change>*>(into)->push_back({.value = number(values->dataValues[i].value),
                                                                .has_value = values->dataValues[i].hasValue,
                                                                .source_time = values->dataValues[i].sourceTimestamp,
                                                                .status = values->dataValues[i].status});
          return true;
        },
        from, to, UA_STRING_NULL, false, page, UA_TIMESTAMPSTORETURN_BOTH, &out);
    return out;
  }
  UA_StatusCode history_status() const noexcept { return history_status_; }

  // One subscription on all of them; changes come in poll(). Interval in ms, sampling 0: event-driven.
  UA_StatusCode subscribe(const std::vector<std::string>& names, double publishing = 1.0, double sampling = 0.0) {
    UA_CreateSubscriptionRequest request = UA_CreateSubscriptionRequest_default();
    request.requestedPublishingInterval = publishing;
    const auto made = UA_Client_Subscriptions_create(client_, request, this, nullptr, nullptr);
    if (made.responseHeader.serviceResult != UA_STATUSCODE_GOOD) return made.responseHeader.serviceResult;
    for (std::size_t i = 0; i < names.size(); ++i) {
      UA_MonitoredItemCreateRequest item = UA_MonitoredItemCreateRequest_default(node(names[i]));
      item.requestedParameters.samplingInterval = sampling;
      item.requestedParameters.queueSize = 100;
      UA_DataChangeFilter filter{UA_DATACHANGETRIGGER_STATUSVALUETIMESTAMP, 0, 0};
      UA_ExtensionObject_setValueNoDelete(&item.requestedParameters.filter, &filter,
                                          &UA_TYPES[UA_TYPES_DATACHANGEFILTER]);
      // The context carries the item's number. NOLINTNEXTLINE(performance-no-int-to-ptr)
      void* const context = reinterpret_cast<void*>(i);
      auto result = UA_Client_MonitoredItems_createDataChange(client_, made.subscriptionId, UA_TIMESTAMPSTORETURN_BOTH,
                                                              item, context, &TestClient::changed, nullptr);
      const UA_StatusCode status = result.statusCode;
      UA_MonitoredItemCreateResult_clear(&result);
      if (status != UA_STATUSCODE_GOOD) return status;
    }
    return UA_STATUSCODE_GOOD;
  }

  // Serves the connection for up to `wait` ms; the changes since the last call are in changes().
  UA_StatusCode poll(UA_UInt32 wait) { return UA_Client_run_iterate(client_, wait); }
  std::deque<Change>& changes() noexcept { return changes_; }

 private:
  static UA_ByteString bytes(const std::string& text) {
    return {text.size(), reinterpret_cast<UA_Byte*>(const_cast<char*>(text.data()))};
  }
  static double number(const UA_Variant& value) {
    if (!UA_Variant_isScalar(&value)) return std::numeric_limits<double>::quiet_NaN();
    if (value.type == &UA_TYPES[UA_TYPES_DOUBLE]) return *static_cast<double*>(value.data);
    if (value.type == &UA_TYPES[UA_TYPES_UINT32]) return *static_cast<std::uint32_t*>(value.data);
    if (value.type == &UA_TYPES[UA_TYPES_INT32]) return *static_cast<std::int32_t*>(value.data);
    if (value.type == &UA_TYPES[UA_TYPES_BOOLEAN]) return *static_cast<bool*>(value.data) ? 1.0 : 0.0;
    if (value.type == &UA_TYPES[UA_TYPES_DATETIME]) return static_cast<double>(*static_cast<std::int64_t*>(value.data));
    return std::numeric_limits<double>::quiet_NaN();
  }
  static void changed(UA_Client*, UA_UInt32, void* self, UA_UInt32, void* item, UA_DataValue* value) {
    Change change{.item = reinterpret_cast<std::size_t>(item),
                  .value = number(value->value),
                  .has_value = value->hasValue,
                  .source_time = value->sourceTimestamp,
                  .status = value->hasStatus ? value->status : UA_STATUSCODE_GOOD,
                  .type = value->value.type};
    if (value->value.type == &UA_TYPES[UA_TYPES_DOUBLE] && !UA_Variant_isScalar(&value->value)) {
      const auto* values = static_cast<double*>(value->value.data);
      change.values.assign(values, values + value->value.arrayLength);
    }
    static_cast<TestClient*>(self)->changes_.push_back(std::move(change));
  }

  UA_Client* client_;
  ClientOptions user_;
  std::deque<Change> changes_;
  UA_StatusCode history_status_ = UA_STATUSCODE_GOOD;
};

}  // namespace rltune::twin::testing
