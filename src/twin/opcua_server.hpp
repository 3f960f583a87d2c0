// An OPC UA server (open62541) in front of a TagHost. Everything that open62541 leaves open is closed: nobody
// is anonymous, policy None only where asked for, client certificates have to be in the trust folder, clients
// may neither add nodes nor change attributes or history.
//
// Threads: one; the server runs inside iterate(), and calls the host from there.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/plant/opcua_pki.hpp"
#include "rltune/twin/tag.hpp"

namespace rltune::twin {

struct User {
  std::string name;
  std::string password;
  Role role = Role::host;
};

struct ServerOptions {
  std::string plant;          // browse name of the object that holds the tags
  std::string namespace_uri;  // of the tags; also the application URI
  std::string listen = "127.0.0.1";
  std::uint16_t port = 4840;  // 0: one that is free
  std::vector<User> users;
  bool allow_none = false;  // also offer an endpoint without security
  // Lockstep: every monitored item is sampled when its value is written and notified within a millisecond,
  // whatever intervals the client asks for.
  bool event_driven = false;
  std::size_t history_values = 20000;  // kept of every tag with history
};

class OpcuaServer final : public TagSink {
 public:
  // Errors: io (the port is taken), denied and parse (own certificate), internal.
  static Result<std::unique_ptr<OpcuaServer>> start(const ServerOptions& options, const plant::OpcuaPki& pki,
                                                    TagHost& host);
  ~OpcuaServer() override;

  void publish(std::size_t tag) override;
  // Serves clients; returns after the first event or `wait`.
  void iterate(std::chrono::milliseconds wait);
  const std::string& url() const noexcept;
  std::uint64_t sessions() const noexcept;

  struct State;

 private:
  explicit OpcuaServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rltune::twin
