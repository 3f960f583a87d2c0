#include "opcua_client.hpp"

#include <open62541/client_config_default.h>
#include <open62541/plugin/log.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <format>
#include <thread>

#include "rltune/base/check.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/log.hpp"
#include "rltune/plant/opcua_trust.hpp"

namespace rltune::plant {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view kPolicyPrefix = "http://opcfoundation.org/UA/SecurityPolicy#";
constexpr std::array<std::string_view, 4> kPolicies{"Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss",
                                                    "None"};
constexpr std::string_view kBinaryTransport = "http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary";
// The server frees what a vanished session held after this time; sessions are few on small controllers.
constexpr UA_UInt32 kSessionTimeoutMs = 20'000;
// The library's own timers (renewing the channel's keys) run at least this often.
constexpr int kLongestWaitMs = 100;

// The library's own words, for whoever turns DEBUG on: ours say what matters at the other levels.
void log_line(void*, UA_LogLevel level, UA_LogCategory, const char* format, va_list arguments) {
  if (level < UA_LOGLEVEL_WARNING) return;
  std::array<char, 512> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  log::debug(text.data(), {{"from", "open62541"}});
}

UA_Logger* make_logger() {
  auto* logger = static_cast<UA_Logger*>(UA_calloc(1, sizeof(UA_Logger)));
  logger->log = log_line;
  logger->clear = [](UA_Logger* self) { UA_free(self); };
  return logger;
}

std::string default_application_uri() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return std::format("urn:{}:rltune", name[0] != '\0' ? name.data() : "localhost");
}

UA_ByteString bytes_of(std::string_view bytes) { return view_of(bytes); }

std::string_view policy_name(const UA_EndpointDescription& endpoint) {
  auto uri = text_of(endpoint.securityPolicyUri);
  if (uri.starts_with(kPolicyPrefix)) uri.remove_prefix(kPolicyPrefix.size());
  return uri;
}

const char* mode_name(UA_MessageSecurityMode mode) {
  switch (mode) {
    case UA_MESSAGESECURITYMODE_NONE:
      return "None";
    case UA_MESSAGESECURITYMODE_SIGN:
      return "Sign";
    case UA_MESSAGESECURITYMODE_SIGNANDENCRYPT:
      return "SignAndEncrypt";
    default:
      return "?";
  }
}

bool is_certificate_status(UA_StatusCode status) {
  return (status >= UA_STATUSCODE_BADCERTIFICATEINVALID && status <= UA_STATUSCODE_BADCERTIFICATEISSUERREVOKED) ||
         status == UA_STATUSCODE_BADCERTIFICATECHAININCOMPLETE ||
         status == UA_STATUSCODE_BADCERTIFICATEPOLICYCHECKFAILED;
}

Errc errc_of(UA_StatusCode status) {
  switch (status) {
    case UA_STATUSCODE_BADTIMEOUT:
    case UA_STATUSCODE_BADREQUESTTIMEOUT:
      return Errc::timeout;
    case UA_STATUSCODE_BADIDENTITYTOKENREJECTED:
    case UA_STATUSCODE_BADIDENTITYTOKENINVALID:
    case UA_STATUSCODE_BADUSERACCESSDENIED:
    case UA_STATUSCODE_BADSECURITYCHECKSFAILED:
    case UA_STATUSCODE_BADSECURITYPOLICYREJECTED:
    case UA_STATUSCODE_BADSECURITYMODEREJECTED:
    case UA_STATUSCODE_BADUSERSIGNATUREINVALID:
    case UA_STATUSCODE_BADAPPLICATIONSIGNATUREINVALID:
      return Errc::denied;
    case UA_STATUSCODE_BADSERVICEUNSUPPORTED:
    case UA_STATUSCODE_BADNOTSUPPORTED:
    case UA_STATUSCODE_BADHISTORYOPERATIONUNSUPPORTED:
      return Errc::unsupported;
    case UA_STATUSCODE_BADCONNECTIONREJECTED:
    case UA_STATUSCODE_BADCONNECTIONCLOSED:
    case UA_STATUSCODE_BADNOTCONNECTED:
    case UA_STATUSCODE_BADDISCONNECT:
    case UA_STATUSCODE_BADSERVERNOTCONNECTED:
    case UA_STATUSCODE_BADSECURECHANNELCLOSED:
    case UA_STATUSCODE_BADSECURECHANNELIDINVALID:
    case UA_STATUSCODE_BADSESSIONCLOSED:
    case UA_STATUSCODE_BADSESSIONIDINVALID:
    case UA_STATUSCODE_BADSESSIONNOTACTIVATED:
    case UA_STATUSCODE_BADSERVERHALTED:
    case UA_STATUSCODE_BADSHUTDOWN:
    case UA_STATUSCODE_BADCOMMUNICATIONERROR:
      return Errc::disconnected;
    default:
      return is_certificate_status(status) ? Errc::denied : Errc::io;
  }
}

// No connection, or one that ended before it could be used: what happened, and what to look at.
Error unreachable(const std::string& url, bool session, UA_StatusCode status) {
  const auto say = [&](const char* what) {
    return Error{Errc::disconnected, std::format("{} {} ({})", url, what, status_name(status))};
  };
  if (session) return say("ended the connection while the session was being opened; its log may say why");
  if (status == UA_STATUSCODE_BADCONNECTIONREJECTED)
    return say("does not answer: nobody listens there. Is the server running, and are host and port right?");
  return say("cannot be talked to: is the host's name right, and is it an OPC UA server that listens on this port?");
}

}  // namespace

Error service_error(UA_StatusCode status, std::string_view what) {
  return {errc_of(status), std::format("{}: {}", what, status_name(status))};
}

// The state of one call in flight. The library answers each exactly once, at the latest when it is deleted;
// a caller that gave up leaves `then` empty.
struct OpcuaClient::Pending {
  std::function<void(void*)> then;
};

OpcuaClient::OpcuaClient(const OpcuaOptions& options, int wake_descriptor, const std::atomic<bool>& stop)
    : options_(options), wake_(wake_descriptor), stop_(stop) {}

OpcuaClient::~OpcuaClient() { close(false); }

Result<> OpcuaClient::connect(std::optional<Identity> next) {
  if (!std::ranges::contains(kPolicies, options_.security))
    return fail(
        Errc::invalid_argument,
        std::format("security '{}' is none of Basic256Sha256, Aes128_Sha256_RsaOaep, Aes256_Sha256_RsaPss, None",
                    options_.security));
  if (!secure() && !options_.allow_insecure)
    return fail(Errc::denied,
                "security None is refused: whoever reaches the network could move the plant. "
                "Set allow_insecure: true if that is what you want");
  if (secure() && options_.pki.empty()) return fail(Errc::invalid_argument, "security needs a pki folder");
  if (secure()) {
    auto pki = OpcuaPki::open(options_.pki);
    if (!pki) return std::unexpected(pki.error());
    pki_ = std::move(*pki);
    if (next) certificate_file_ = "next.der";
    auto identity = next ? Result<Identity>(std::move(*next))
                         : pki_->identity({.application_uri = options_.application_uri}, WallClock().now());
    if (!identity) return std::unexpected(identity.error());
    application_uri_ = identity->application_uri;
    identity_ = std::move(*identity);
  } else {
    if (!options_.user.empty()) log::warning("the password goes over the network in clear", {{"url", options_.url}});
    application_uri_ = options_.application_uri.empty() ? default_application_uri() : options_.application_uri;
  }

  auto endpoint = discover();
  if (!endpoint) return std::unexpected(endpoint.error());
  auto client = make_client(true);
  if (!client) return std::unexpected(client.error());
  client_ = std::move(*client);
  auto& config = *UA_Client_getConfig(client_.get());
  UA_EndpointDescription_copy(&**endpoint, &config.endpoint);
  config.securityMode = (*endpoint)->securityMode;
  UA_String_copy(&(*endpoint)->securityPolicyUri, &config.securityPolicyUri);
  if (auto open = open_channel("session"); !open) return open;
  if (auto sound = check_channel(); !sound) return sound;
  // From here on a lost channel or session ends this client; the link then makes another.
  config.noReconnect = true;
  config.noNewSession = true;
  return {};
}

Result<OpcuaClient::ClientHandle> OpcuaClient::make_client(bool session) {
  UA_ClientConfig config{};
  config.logging = make_logger();
  config.clientContext = this;
  config.clientDescription.applicationUri = copy_of(application_uri_);
  config.clientDescription.productUri = copy_of("urn:rltune");
  config.clientDescription.applicationName = UA_LOCALIZEDTEXT_ALLOC("en", "RLTune");
  config.clientDescription.applicationType = UA_APPLICATIONTYPE_CLIENT;
  config.timeout = static_cast<UA_UInt32>(options_.call_timeout / std::chrono::milliseconds(1));
  config.requestedSessionTimeout = kSessionTimeoutMs;
  config.secureChannelLifeTime = static_cast<UA_UInt32>(options_.channel_lifetime / std::chrono::milliseconds(1));
  config.noSession = !session;
  config.endpointUrl = copy_of(options_.url);
  UA_StatusCode status = UA_ClientConfig_setDefault(&config);
  if (status == UA_STATUSCODE_GOOD && session && secure()) {
    if (auto set = configure_security(config); !set) {
      UA_ClientConfig_clear(&config);
      return std::unexpected(set.error());
    }
  }
  if (status == UA_STATUSCODE_GOOD && session && !options_.user.empty())
    status = UA_ClientConfig_setAuthenticationUsername(&config, options_.user.c_str(), options_.password.c_str());
  watch_connections(config);
  ClientHandle client(status == UA_STATUSCODE_GOOD ? UA_Client_newWithConfig(&config) : nullptr);
  if (!client) {
    UA_ClientConfig_clear(&config);
    return std::unexpected(service_error(status, "cannot make an OPC UA client"));
  }
  return client;
}

Result<> OpcuaClient::configure_security(UA_ClientConfig& config) {
  const UA_StatusCode status = UA_ClientConfig_setDefaultEncryption(&config, bytes_of(identity_->certificate),
                                                                    bytes_of(identity_->key), nullptr, 0, nullptr, 0);
  if (status != UA_STATUSCODE_GOOD)
    return std::unexpected(service_error(status, "cannot load our certificate and key"));
  // Replaces the empty trust list just made, which would refuse everybody; before that the default is to
  // accept everybody.
  install_trust(config.certificateVerification, *pki_);
  return {};
}

// Asks the server which endpoints it has, on a channel without security as the standard wants, and takes
// nothing from the answer on trust: the endpoint must be the configured kind and its certificate a trusted one.
Result<UaEndpoint> OpcuaClient::discover() {
  auto client = make_client(false);
  if (!client) return std::unexpected(client.error());
  client_ = std::move(*client);
  auto& config = *UA_Client_getConfig(client_.get());
  // A complete endpoint keeps the library from choosing one by itself.
  config.endpoint.endpointUrl = copy_of(options_.url);
  config.endpoint.securityMode = UA_MESSAGESECURITYMODE_NONE;
  config.endpoint.securityPolicyUri = copy_of(std::format("{}None", kPolicyPrefix));
  auto result = [&]() -> Result<UaEndpoint> {
    if (auto open = open_channel("discovery"); !open) return std::unexpected(open.error());
    GetEndpointsService::Request request;
    request->endpointUrl = copy_of(options_.url);
    auto answer = call<GetEndpointsService>(request, "GetEndpoints at " + options_.url);
    if (!answer) return std::unexpected(answer.error());
    UaEndpoint chosen;
    if (auto found = choose(**answer, chosen); !found) return std::unexpected(found.error());
    if (auto sound = verify(*chosen); !sound) return std::unexpected(sound.error());
    return chosen;
  }();
  close(false);
  return result;
}

Result<> OpcuaClient::choose(UA_GetEndpointsResponse& answer, UaEndpoint& chosen) const {
  const auto mode = secure() ? UA_MESSAGESECURITYMODE_SIGNANDENCRYPT : UA_MESSAGESECURITYMODE_NONE;
  const auto token = options_.user.empty() ? UA_USERTOKENTYPE_ANONYMOUS : UA_USERTOKENTYPE_USERNAME;
  bool endpoint_found = false;
  std::string offers;
  for (std::size_t i = 0; i < answer.endpointsSize; ++i) {
    UA_EndpointDescription& endpoint = answer.endpoints[i];
    const auto offer = std::format("{}/{}", policy_name(endpoint), mode_name(endpoint.securityMode));
    if (!offers.contains(offer)) offers += (offers.empty() ? "" : ", ") + offer;
    const auto transport = text_of(endpoint.transportProfileUri);
    if (policy_name(endpoint) != options_.security || endpoint.securityMode != mode ||
        (!transport.empty() && transport != kBinaryTransport))
      continue;
    endpoint_found = true;
    for (std::size_t k = 0; k < endpoint.userIdentityTokensSize; ++k) {
      if (endpoint.userIdentityTokens[k].tokenType != token) continue;
      UA_EndpointDescription_copy(&endpoint, &*chosen);
      return {};
    }
  }
  if (!endpoint_found)
    return fail(Errc::denied, std::format("{} offers no endpoint with {} and {}; it offers {}", options_.url,
                                          options_.security, mode_name(mode), offers.empty() ? "nothing" : offers));
  return fail(Errc::denied,
              std::format("{} takes no {}; {}", options_.url,
                          options_.user.empty() ? "anonymous users" : "user name and password",
                          options_.user.empty() ? "configure a user" : "remove the user or ask its operator"));
}

Result<> OpcuaClient::verify(const UA_EndpointDescription& endpoint) const {
  if (!secure()) return {};
  const auto certificate = text_of(endpoint.serverCertificate);
  if (certificate.empty())
    return fail(Errc::denied, std::format("{} offers {} without a certificate", options_.url, options_.security));
  if (options_.server_application_uri.empty()) {
    const auto info = read_certificate(certificate);
    return fail(Errc::denied, std::format("no server_application_uri is configured for {}; its certificate names '{}'",
                                          options_.url, info ? info->application_uri : ""));
  }
  auto verdict = pki_->verify(certificate, options_.server_application_uri, WallClock().now());
  if (!verdict) verdict.error().message = std::format("{}: {}", options_.url, verdict.error().message);
  return verdict;
}

Result<> OpcuaClient::open_channel(std::string_view what) {
  const auto* config = UA_Client_getConfig(client_.get());
  const auto deadline = SteadyClock::now() + options_.call_timeout;
  heard_ = SteadyClock::now();
  UA_StatusCode status = __UA_Client_connect(client_.get(), true);
  while (status == UA_STATUSCODE_GOOD && SteadyClock::now() < deadline && !stopped()) {
    UA_SecureChannelState channel;
    UA_SessionState session;
    UA_Client_getState(client_.get(), &channel, &session, &status);
    const bool ready = config->noSession ? channel == UA_SECURECHANNELSTATE_OPEN : session == UA_SESSIONSTATE_ACTIVATED;
    if (status == UA_STATUSCODE_GOOD && ready) return {};
    step(std::chrono::milliseconds(10));
  }
  if (stopped()) return fail(Errc::cancelled, "stopped");
  const auto where = std::format("{} ({})", options_.url, what);
  if (status == UA_STATUSCODE_GOOD)
    return fail(Errc::timeout,
                std::format("{} did not answer within {:.1f} s", where, to_seconds(options_.call_timeout)));
  if (status == UA_STATUSCODE_BADIDENTITYTOKENREJECTED || status == UA_STATUSCODE_BADUSERACCESSDENIED ||
      status == UA_STATUSCODE_BADIDENTITYTOKENINVALID)
    return fail(Errc::denied, std::format("{} refused the user '{}': wrong name or password ({})", options_.url,
                                          options_.user, status_name(status)));
  full_ = status == UA_STATUSCODE_BADTOOMANYSESSIONS;
  if (errc_of(status) == Errc::denied && config->noSession)
    return fail(Errc::denied,
                std::format("{} does not tell its endpoints without security ({}), as every server should",
                            options_.url, status_name(status)));
  // Where the server answers with a fault, the library takes one of its numbers for the status: no error, and not good.
  const bool fault = !UA_StatusCode_isBad(status);
  if (errc_of(status) == Errc::denied || fault)
    return fail(
        Errc::denied,
        std::format("{} refused the secure channel ({}): the server has to trust our certificate {}; copy it to where "
                    "it keeps the trusted ones, then try again",
                    options_.url, status_name(status), (options_.pki / "own" / certificate_file_).string()));
  if (errc_of(status) == Errc::disconnected)
    return std::unexpected(unreachable(options_.url, !config->noSession, status));
  return std::unexpected(service_error(status, where));
}

// What the library ended up with, against what was asked for. A difference would be a hole in it.
Result<> OpcuaClient::check_channel() const {
  UA_MessageSecurityMode mode = UA_MESSAGESECURITYMODE_INVALID;
  UA_String policy{};
  UA_Client_getConnectionAttribute_scalar(client_.get(), UA_QUALIFIEDNAME(0, const_cast<char*>("securityMode")),
                                          &UA_TYPES[UA_TYPES_MESSAGESECURITYMODE], &mode);
  UA_Client_getConnectionAttribute_scalar(client_.get(), UA_QUALIFIEDNAME(0, const_cast<char*>("securityPolicyUri")),
                                          &UA_TYPES[UA_TYPES_STRING], &policy);
  const auto wanted = secure() ? UA_MESSAGESECURITYMODE_SIGNANDENCRYPT : UA_MESSAGESECURITYMODE_NONE;
  if (mode == wanted && text_of(policy) == std::string(kPolicyPrefix) + options_.security) return {};
  return fail(Errc::denied,
              std::format("the channel to {} came up with {} and {}", options_.url, text_of(policy), mode_name(mode)));
}

bool OpcuaClient::alive() const {
  if (!client_) return false;
  UA_SecureChannelState channel;
  UA_SessionState session;
  UA_StatusCode status;
  UA_Client_getState(client_.get(), &channel, &session, &status);
  return status == UA_STATUSCODE_GOOD && channel == UA_SECURECHANNELSTATE_OPEN && session == UA_SESSIONSTATE_ACTIVATED;
}

Error OpcuaClient::loss() const {
  UA_StatusCode status = UA_STATUSCODE_BADCONNECTIONCLOSED;
  if (client_) UA_Client_getState(client_.get(), nullptr, nullptr, &status);
  if (status == UA_STATUSCODE_GOOD) status = UA_STATUSCODE_BADCONNECTIONCLOSED;
  return service_error(status, "the connection to " + options_.url + " ended");
}

void OpcuaClient::step(Duration timeout) {
  const int wait_ms = static_cast<int>(
      std::clamp<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(timeout).count(), 0, kLongestWaitMs));
  if (!established_) return iterate(std::min(wait_ms, 10));
  std::array<pollfd, 2> ready{
      {{.fd = socket_, .events = POLLIN, .revents = 0}, {.fd = wake_, .events = POLLIN, .revents = 0}}};
  ::poll(ready.data(), ready.size(), wait_ms);
  iterate(0);
  // A closing channel finishes in the loop's next rounds.
  for (int round = 0; round < 3; ++round) {
    UA_SecureChannelState channel;
    UA_Client_getState(client_.get(), &channel, nullptr, nullptr);
    if (channel == UA_SECURECHANNELSTATE_CLOSING) iterate(0);
  }
}

void OpcuaClient::iterate(int wait_ms) {
  // The library takes the end of a connection (recv() returns 0) for "try again" when errno still says
  // EAGAIN from some other call, and spins without noticing that the server is gone.
  errno = 0;
  UA_Client_run_iterate(client_.get(), static_cast<UA_UInt32>(wait_ms));
}

Result<> OpcuaClient::call_raw(void* request, const UA_DataType* request_type, void* response,
                               const UA_DataType* response_type, std::string_view what, Duration timeout,
                               Duration silence_max) {
  bool answered = false;
  const auto deadline = SteadyClock::now() + (timeout > Duration{} ? timeout : options_.call_timeout);
  auto* pending = new Pending{[&](void* raw) {
    std::memcpy(response, raw, response_type->memSize);
    UA_init(raw, response_type);
    answered = true;
  }};
  const UA_StatusCode sent = __UA_Client_AsyncService(client_.get(), request, request_type, &OpcuaClient::on_response,
                                                      response_type, pending, nullptr);
  if (sent != UA_STATUSCODE_GOOD) {
    delete pending;
    return std::unexpected(service_error(sent, what));
  }
  const auto left = [&] {
    const auto now = SteadyClock::now();
    return std::min<Duration>(deadline - now, silence_max - (now - heard_));
  };
  for (Duration wait = left(); !answered && wait > Duration{} && !stopped(); wait = left()) step(wait);
  if (!answered) {
    pending->then = nullptr;  // its answer, should it come, goes nowhere
    return fail(stopped() ? Errc::cancelled : Errc::timeout, std::format("{}: no answer in time", what));
  }
  const UA_StatusCode status = static_cast<UA_ResponseHeader*>(response)->serviceResult;
  if (status != UA_STATUSCODE_GOOD) return std::unexpected(service_error(status, what));
  return {};
}

bool OpcuaClient::send_raw(void* request, const UA_DataType* request_type, const UA_DataType* response_type,
                           std::function<void(void*)> then) {
  auto* pending = new Pending{std::move(then)};
  const UA_StatusCode sent = __UA_Client_AsyncService(client_.get(), request, request_type, &OpcuaClient::on_response,
                                                      response_type, pending, nullptr);
  if (sent != UA_STATUSCODE_GOOD) delete pending;
  return sent == UA_STATUSCODE_GOOD;
}

void OpcuaClient::on_response(UA_Client*, void* userdata, UA_UInt32, void* response) {
  const std::unique_ptr<Pending> pending(static_cast<Pending*>(userdata));
  if (pending->then) pending->then(response);
}

void OpcuaClient::close(bool orderly) noexcept {
  if (!client_) return;
  // Without this the library would send CloseSession to a server that hangs, and wait for the answer.
  if (!orderly || !alive()) UA_Client_disconnectSecureChannelAsync(client_.get());
  client_.reset();
  socket_ = -1;
  established_ = false;
}

void OpcuaClient::watch_connections(UA_ClientConfig& config) {
  if (config.eventLoop == nullptr) return;
  for (UA_EventSource* source = config.eventLoop->eventSources; source != nullptr; source = source->next) {
    if (source->eventSourceType != UA_EVENTSOURCETYPE_CONNECTIONMANAGER) continue;
    auto* connections = reinterpret_cast<UA_ConnectionManager*>(source);
    if (text_of(connections->protocol) != "tcp") continue;
    library_open_ = connections->openConnection;
    connections->openConnection = &OpcuaClient::open_connection;
  }
}

UA_StatusCode OpcuaClient::open_connection(UA_ConnectionManager* connections, const UA_KeyValueMap* parameters,
                                           void* application, void* context,
                                           UA_ConnectionManager_connectionCallback callback) {
  auto* self = static_cast<OpcuaClient*>(UA_Client_getContext(static_cast<UA_Client*>(application)));
  self->library_callback_ = callback;
  return self->library_open_(connections, parameters, application, context, &OpcuaClient::on_connection);
}

void OpcuaClient::on_connection(UA_ConnectionManager* connections, uintptr_t id, void* application, void** context,
                                UA_ConnectionState state, const UA_KeyValueMap* parameters, UA_ByteString message) {
  auto* self = static_cast<OpcuaClient*>(UA_Client_getContext(static_cast<UA_Client*>(application)));
  self->socket_ = static_cast<int>(id);
  self->established_ = state == UA_CONNECTIONSTATE_ESTABLISHED;
  if (message.length > 0) self->heard_ = SteadyClock::now();
  self->library_callback_(connections, id, application, context, state, parameters, message);
}

}  // namespace rltune::plant
