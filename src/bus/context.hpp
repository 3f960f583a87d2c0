// The ZeroMQ context, and the gate that tells CURVE servers which clients to let in (ZAP, rfc.zeromq.org/spec/27).
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "rltune/bus/bus.hpp"

namespace rltune::bus {

struct Context::State {
  void* handle = nullptr;
  std::mutex mutex;
  std::map<std::string, std::set<std::string>> clients;  // domain -> public keys, Z85
  std::thread gate;                                      // started by the first CURVE server

  // From here on `domain` lets in these keys alone.
  Result<> admit(const std::string& domain, const std::vector<std::string>& keys);
  bool admitted(const std::string& domain, const std::string& key);
};

}  // namespace rltune::bus
