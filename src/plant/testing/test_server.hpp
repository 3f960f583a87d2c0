// A real OPC UA server in a thread, for tests of clients: nodes of every type, history, limits, certificates
// good and bad. Restartable on its port.
//
// Threads: set() and the counters may be called from any thread; the rest belongs to one.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "rltune/base/free_port.hpp"
#include "rltune/plant/opcua_pki.hpp"

namespace rltune::plant {

struct TestServerOptions {
  std::uint16_t port = 0;
  std::filesystem::path pki;
  std::string application_uri = "urn:rltune:test:server";
  Identity identity;  // empty: from the pki
  std::string user = "operator";
  std::string password = "secret";
  bool allow_anonymous = false;
  bool offer_none = false;
  std::uint32_t operation_limit = 0;  // of every kind a call
  double publishing_interval_ms_min = 5.0;
  double sampling_interval_ms_min = 5.0;
  std::uint16_t sessions_max = 100;
  bool shift_namespace = false;      // another namespace comes first: indices differ from last time
  std::vector<std::string> without;  // nodes that are missing this time
};

class TestServer {
 public:
  static constexpr const char* kNamespace = "urn:rltune:test:plant";

  // Starts serving; aborts the test program when the port is taken.
  explicit TestServer(TestServerOptions options);
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::string url() const;
  // Sets a Double node; `source_time` empty: now. Status as in OPC UA.
  void set(const std::string& node, double value, std::uint32_t status = 0, TimePoint source_time = {});
  void set_element(const std::string& node, std::size_t element, double value);
  double get(const std::string& node) const;
  // Adds to the node's history without showing it to subscribers.
  void add_history(const std::string& node, double value, TimePoint source_time);
  // Shows another certificate from now on, and ends every connection under the one before.
  void renew(const Identity& identity);
  // As an administrator or a time-out would.
  void close_sessions();

  struct State;

 private:
  std::unique_ptr<State> state_;
};

using rltune::free_port;

}  // namespace rltune::plant
