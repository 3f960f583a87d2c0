// What happened during an outage, read from the server's history after it, beside the live values.
//
// Threads: one. Lifetime: the client is closed before this goes. Internal.
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "opcua_client.hpp"
#include "rltune/base/time.hpp"

namespace rltune::plant {

class OpcuaBackfill {
 public:
  using OnValue = std::function<void(std::size_t tag, const UA_DataValue& value)>;

  OpcuaBackfill(OpcuaClient& client, OnValue on_value) : client_(client), on_value_(std::move(on_value)) {}

  // Values of `node` after `from` and before `until`, both by the plant's clock.
  void add(std::size_t tag, const UA_NodeId& node, TimePoint from, TimePoint until);

  // What is left to be filled, so that another session can.
  struct Left {
    std::size_t tag = 0;
    TimePoint from, until;
  };
  std::vector<Left> left() const;

  // Sends the next request, one at a time. Called while there is room for what it brings.
  void pump();

 private:
  struct Gap {
    std::size_t tag = 0;
    UaNodeId node;
    TimePoint from;
    TimePoint until;
    Ua<UA_ByteString, UA_TYPES_BYTESTRING> continuation;
    std::size_t values = 0;
    TimePoint reached{};  // the newest value that came
  };
  void on_history(HistoryReadService::Response& response);
  void finish(std::string_view trouble);

  OpcuaClient& client_;
  OnValue on_value_;
  std::deque<Gap> gaps_;
  bool in_flight_ = false;
};

}  // namespace rltune::plant
