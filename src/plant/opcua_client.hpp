// One connection to one OPC UA server: discover, verify, open, call; then thrown away. A reconnect makes a
// new one, so that nothing of a dead session survives in it.
//
// open62541's client is open by default (policy None, anonymous user, every certificate accepted, the
// endpoint chosen from an unauthenticated answer). Here the endpoint is chosen and its certificate judged
// before a secure channel exists; the channel is then bound to that one endpoint, and to that certificate's
// key, so that nothing later can weaken it.
//
// Threads: one; wake() alone may be called from any.
// Time:    every wait has a deadline and ends at once when the stop flag is set and wake() called.
// Internal.
#pragma once

#include <open62541/client.h>
#include <open62541/plugin/eventloop.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "opcua_value.hpp"
#include "rltune/base/error.hpp"
#include "rltune/plant/opcua_options.hpp"
#include "rltune/plant/opcua_pki.hpp"

namespace rltune::plant {

// Request and response of each service we call.
template <typename RequestType, int RequestIndex, typename ResponseType, int ResponseIndex>
struct Service {
  using Request = Ua<RequestType, RequestIndex>;
  using Response = Ua<ResponseType, ResponseIndex>;
};
#define RLTUNE_OPCUA_SERVICE(Name, NAME) \
  using Name##Service =                  \
      Service<UA_##Name##Request, UA_TYPES_##NAME##REQUEST, UA_##Name##Response, UA_TYPES_##NAME##RESPONSE>
RLTUNE_OPCUA_SERVICE(Read, READ);
RLTUNE_OPCUA_SERVICE(Write, WRITE);
RLTUNE_OPCUA_SERVICE(Browse, BROWSE);
RLTUNE_OPCUA_SERVICE(BrowseNext, BROWSENEXT);
RLTUNE_OPCUA_SERVICE(HistoryRead, HISTORYREAD);
RLTUNE_OPCUA_SERVICE(GetEndpoints, GETENDPOINTS);
RLTUNE_OPCUA_SERVICE(CreateSubscription, CREATESUBSCRIPTION);
RLTUNE_OPCUA_SERVICE(CreateMonitoredItems, CREATEMONITOREDITEMS);
RLTUNE_OPCUA_SERVICE(Publish, PUBLISH);
RLTUNE_OPCUA_SERVICE(Republish, REPUBLISH);
RLTUNE_OPCUA_SERVICE(TranslateBrowsePathsToNodeIds, TRANSLATEBROWSEPATHSTONODEIDS);
#undef RLTUNE_OPCUA_SERVICE

// The failure of a service as an Error: disconnected, timeout, denied, unsupported or io.
Error service_error(UA_StatusCode status, std::string_view what);

class OpcuaClient {
 public:
  // `wake_descriptor`: an eventfd that ends waits early; not read here.
  OpcuaClient(const OpcuaOptions& options, int wake_descriptor, const std::atomic<bool>& stop);
  ~OpcuaClient();
  OpcuaClient(const OpcuaClient&) = delete;
  OpcuaClient& operator=(const OpcuaClient&) = delete;

  // Errors: denied (security, with its reason), disconnected (nobody there), timeout (somebody, silent).
  // `next`: the pair to use instead of ours.
  Result<> connect(std::optional<Identity> next = {});
  // Ours (DER), as the server was shown it.
  std::string_view certificate() const noexcept { return identity_ ? identity_->certificate : std::string_view(); }
  // Why connect() failed: the server accepts us, and has no session left.
  bool server_is_full() const noexcept { return full_; }
  // The session is active and the channel open.
  bool alive() const;
  // Why it is not, for people.
  Error loss() const;

  // Waits for the server, the wake descriptor or the time, and processes what came.
  void step(Duration timeout);

  // When the last bytes came from the server: std::chrono::steady_clock.
  std::chrono::steady_clock::time_point heard() const noexcept { return heard_; }

  // Calls a service and waits for its answer up to the call timeout (or `timeout`), and no longer than the server
  // may be silent altogether (`silence_max`, where it is given).
  template <typename S>
  Result<typename S::Response> call(typename S::Request& request, std::string_view what, Duration timeout = {},
                                    Duration silence_max = Duration::max()) {
    typename S::Response response;
    auto done = call_raw(&*request, S::Request::type(), &*response, S::Response::type(), what, timeout, silence_max);
    if (!done) return std::unexpected(std::move(done.error()));
    return response;
  }

  // Calls a service and returns; `then` runs inside a later step(). Until the client is destroyed at the
  // latest, with a bad serviceResult. False: it could not be sent.
  template <typename S>
  bool send(typename S::Request& request, std::function<void(typename S::Response&)> then) {
    return send_raw(&*request, S::Request::type(), S::Response::type(), [then = std::move(then)](void* raw) {
      // Moved out: what the library clears afterwards is empty.
      using Raw = std::remove_reference_t<decltype(*std::declval<typename S::Response>())>;
      typename S::Response response(std::move(*static_cast<Raw*>(raw)));
      then(response);
    });
  }

  // Ends the session in order when the server still answers; otherwise drops the connection.
  void close(bool orderly) noexcept;

 private:
  struct Pending;
  struct DeleteClient {
    void operator()(UA_Client* client) const noexcept { UA_Client_delete(client); }
  };
  using ClientHandle = std::unique_ptr<UA_Client, DeleteClient>;

  Result<ClientHandle> make_client(bool session);
  Result<UaEndpoint> discover();
  Result<> choose(UA_GetEndpointsResponse& answer, UaEndpoint& chosen) const;
  Result<> verify(const UA_EndpointDescription& endpoint) const;
  Result<> configure_security(UA_ClientConfig& config);
  Result<> open_channel(std::string_view what);
  Result<> check_channel() const;
  void watch_connections(UA_ClientConfig& config);
  void iterate(int wait_ms);

  Result<> call_raw(void* request, const UA_DataType* request_type, void* response, const UA_DataType* response_type,
                    std::string_view what, Duration timeout, Duration silence_max);
  bool send_raw(void* request, const UA_DataType* request_type, const UA_DataType* response_type,
                std::function<void(void*)> then);
  bool secure() const noexcept { return options_.security != "None"; }
  bool stopped() const noexcept { return stop_.load(std::memory_order_relaxed); }

  static UA_StatusCode open_connection(UA_ConnectionManager*, const UA_KeyValueMap*, void*, void*,
                                       UA_ConnectionManager_connectionCallback);
  static void on_connection(UA_ConnectionManager*, uintptr_t, void*, void**, UA_ConnectionState, const UA_KeyValueMap*,
                            UA_ByteString);
  static void on_response(UA_Client*, void*, UA_UInt32, void*);

  const OpcuaOptions& options_;
  const int wake_;
  const std::atomic<bool>& stop_;
  std::optional<OpcuaPki> pki_;
  std::optional<Identity> identity_;
  std::string application_uri_;
  const char* certificate_file_ = "cert.der";
  bool full_ = false;
  ClientHandle client_;
  std::chrono::steady_clock::time_point heard_{};

  // The library keeps its sockets to itself; a connection's id is its descriptor, and we want to sleep on it
  // and on ours at once: polling the library every few milliseconds would put those on every write.
  int socket_ = -1;
  bool established_ = false;
  decltype(UA_ConnectionManager::openConnection) library_open_ = nullptr;
  UA_ConnectionManager_connectionCallback library_callback_ = nullptr;
};

}  // namespace rltune::plant
