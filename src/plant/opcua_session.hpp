// One session with a server and all that lives as long as it does: the connection, the tags as this server has them,
// what it tells of them. Made on any thread while another session still runs; what it hears meanwhile is kept, and told
// once it takes over.
//
// Threads: one at a time. Internal.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "opcua_backfill.hpp"
#include "opcua_subscription.hpp"

namespace rltune::plant {

class OpcuaSession {
 public:
  using OnValue = std::function<void(std::size_t item, const UA_DataValue& value)>;

  // As OpcuaClient.
  OpcuaSession(const OpcuaOptions& options, int wake_descriptor, const std::atomic<bool>& stop)
      : client_(options, wake_descriptor, stop),
        subscriptions_(client_, options, [this](std::size_t item, const UA_DataValue& value) { hear(item, value); }),
        backfill_(client_, [this](std::size_t item, const UA_DataValue& value) {
          if (on_history_) on_history_(item, value);
        }) {}
  ~OpcuaSession() { close(false); }
  OpcuaSession(const OpcuaSession&) = delete;
  OpcuaSession& operator=(const OpcuaSession&) = delete;

  // Connects, finds and checks every tag, subscribes. `identity`: another than that of the pki. Errors: as
  // PlantLink::open().
  Result<> establish(std::span<const TagBinding> bindings, std::optional<Identity> identity = {});

  // From here on values go there, those that came before first.
  void go_live(OnValue on_value, OnValue on_history);
  // Drops what still comes.
  void mute() noexcept {
    ended_ = true;
    on_value_ = on_history_ = nullptr;
    early_.clear();
  }
  // Mutes it, and ends it: in order, or at once.
  void close(bool orderly) noexcept;

  OpcuaClient& client() noexcept { return client_; }
  OpcuaSubscriptions& subscriptions() noexcept { return subscriptions_; }
  OpcuaBackfill& backfill() noexcept { return backfill_; }
  const std::vector<ResolvedTag>& tags() const noexcept { return tags_; }
  const OperationLimits& limits() const noexcept { return limits_; }

  bool probing = false;         // asked for a sign of life
  std::uint64_t overflows = 0;  // of subscriptions().lost(), what was counted already

 private:
  void hear(std::size_t item, const UA_DataValue& value);

  OpcuaClient client_;
  OpcuaSubscriptions subscriptions_;
  OpcuaBackfill backfill_;
  OperationLimits limits_;
  std::vector<ResolvedTag> tags_;
  OnValue on_value_, on_history_;
  std::vector<std::pair<std::size_t, UaDataValue>> early_;
  bool ended_ = false;
};

}  // namespace rltune::plant
