// The subscriptions of one session: monitored items in groups, publish requests kept in flight, missing
// notifications asked for again, silence noticed.
//
// Written on the services themselves: the library's own bookkeeping forgets subscriptions on errors that a
// link has to hear of, and it does not ask for missing notifications again.
// Threads: one. Lifetime: the client is closed before this goes. Internal.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "opcua_nodes.hpp"

namespace rltune::plant {

class OpcuaSubscriptions {
 public:
  // `item` counts through the nodes of create().
  using OnValue = std::function<void(std::size_t item, const UA_DataValue& value)>;

  OpcuaSubscriptions(OpcuaClient& client, const OpcuaOptions& options, OnValue on_value)
      : client_(client), options_(options), on_value_(std::move(on_value)) {}

  // Creates the items, limits.monitored_items a request. `statuses` gets one a node: bad where the server
  // refused it. Errors: of the services themselves.
  Result<> create(std::span<const UA_NodeId* const> nodes, const OperationLimits& limits,
                  std::vector<UA_StatusCode>& statuses);

  // Keeps publish requests in flight. Called after every step of the client.
  void pump();

  // What ended a subscription, or kept it silent for longer than it promised; nothing while all is well.
  std::optional<Error> failure() const;

  // Notifications the server no longer had when we asked for them again.
  std::uint64_t lost() const noexcept { return lost_; }

 private:
  struct Group {
    UA_UInt32 id = 0;
    UA_UInt32 next_sequence = 1;
    Duration silence_limit{};  // three keep-alives and the call timeout
    std::chrono::steady_clock::time_point heard;
  };

  Result<Group> create_group();
  Result<> create_items(const Group& group, std::span<const UA_NodeId* const> nodes, std::size_t first,
                        std::span<UA_StatusCode> statuses, bool filtered);
  void on_publish(UA_PublishResponse& response);
  void on_notifications(Group& group, const UA_NotificationMessage& message);
  void ask_again(const Group& group, UA_UInt32 sequence);
  Group* find(UA_UInt32 id);

  OpcuaClient& client_;
  const OpcuaOptions& options_;
  OnValue on_value_;
  std::vector<Group> groups_;
  std::vector<UA_SubscriptionAcknowledgement> acknowledgements_;
  std::optional<Error> failure_;
  std::uint64_t lost_ = 0;
  int in_flight_ = 0;
  int wanted_ = 3;
  bool intervals_logged_ = false;
};

}  // namespace rltune::plant
