#include "context.hpp"

#include <google/protobuf/stubs/logging.h>
#include <zmq.h>

#include "rltune/base/check.hpp"
#include "socket.hpp"

namespace rltune::bus {
namespace {

constexpr const char* kGate = "inproc://zeromq.zap.01";
constexpr std::size_t kKeyBytes = 32, kKeyCharacters = 40;

// version, request id, domain, address, identity, mechanism, credentials
constexpr std::size_t kRequestFrames = 7;

std::string key_of(std::string_view credentials) {
  if (credentials.size() != kKeyBytes) return {};
  std::array<char, kKeyCharacters + 1> text{};
  zmq_z85_encode(text.data(), reinterpret_cast<const std::uint8_t*>(credentials.data()), kKeyBytes);
  return text.data();
}

std::vector<std::string> receive_request(void* socket) {
  std::vector<std::string> frames;
  int more = 1;
  while (more != 0) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, socket, 0) < 0) {
      zmq_msg_close(&message);
      return {};
    }
    frames.emplace_back(static_cast<const char*>(zmq_msg_data(&message)), zmq_msg_size(&message));
    more = zmq_msg_more(&message);
    zmq_msg_close(&message);
  }
  return frames;
}

// Answers until the context ends.
void serve_gate(Context::State& state, void* socket) {
  while (true) {
    std::vector<std::string> request = receive_request(socket);
    if (request.empty() && zmq_errno() == EINTR) continue;
    if (request.empty()) break;
    request.resize(kRequestFrames);
    const bool pass = request[5] == "CURVE" && state.admitted(request[2], key_of(request[6]));
    const std::array<std::string_view, 6> answer{"1.0", request[1], pass ? "200" : "400", pass ? "OK" : "unknown key",
                                                 "",    ""};
    for (std::size_t i = 0; i < answer.size(); ++i)
      zmq_send(socket, answer[i].data(), answer[i].size(), i + 1 < answer.size() ? ZMQ_SNDMORE : 0);
  }
  zmq_close(socket);
}

}  // namespace

Context::Context() : state_(std::make_unique<State>()) {
  state_->handle = zmq_ctx_new();
  RLTUNE_CHECK(state_->handle != nullptr);
  // Its lines about bytes that do not parse are whatever a peer makes of them; we count such messages.
  google::protobuf::SetLogHandler(nullptr);
}

Context::~Context() {
  zmq_ctx_shutdown(state_->handle);
  if (state_->gate.joinable()) state_->gate.join();
  while (zmq_ctx_term(state_->handle) != 0 && zmq_errno() == EINTR) {
  }
}

Result<> Context::State::admit(const std::string& domain, const std::vector<std::string>& keys) {
  const std::scoped_lock lock(mutex);
  clients[domain] = {keys.begin(), keys.end()};
  if (gate.joinable()) return {};
  void* socket = zmq_socket(handle, ZMQ_REP);
  if (socket == nullptr || zmq_bind(socket, kGate) != 0) {
    if (socket != nullptr) zmq_close(socket);
    return fail(Errc::internal, "the bus cannot start the check of clients' keys");
  }
  gate = std::thread([this, socket] { serve_gate(*this, socket); });
  return {};
}

bool Context::State::admitted(const std::string& domain, const std::string& key) {
  const std::scoped_lock lock(mutex);
  const auto found = clients.find(domain);
  return found != clients.end() && !key.empty() && found->second.contains(key);
}

Result<Keys> make_keys() {
  std::array<char, kKeyCharacters + 1> public_key{}, secret_key{};
  if (zmq_curve_keypair(public_key.data(), secret_key.data()) != 0)
    return fail(Errc::unsupported, "this build of ZeroMQ has no CURVE");
  return Keys{public_key.data(), secret_key.data()};
}

}  // namespace rltune::bus
