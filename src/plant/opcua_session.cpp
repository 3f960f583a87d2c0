#include "opcua_session.hpp"

#include <format>

namespace rltune::plant {

Result<> OpcuaSession::establish(std::span<const TagBinding> bindings, std::optional<Identity> identity) {
  if (auto connected = client_.connect(std::move(identity)); !connected) return connected;
  auto limits = read_limits(client_);
  if (!limits) return std::unexpected(limits.error());
  limits_ = *limits;
  // Anew in every session: the server may have restarted with another address space or other indices.
  auto tags = resolve_tags(client_, bindings, limits_);
  if (!tags) return std::unexpected(tags.error());
  tags_ = std::move(*tags);
  std::vector<const UA_NodeId*> nodes;
  for (const auto& tag : tags_) nodes.push_back(&*tag.node);
  std::vector<UA_StatusCode> statuses;
  if (auto made = subscriptions_.create(nodes, limits_, statuses); !made) return made;
  for (std::size_t i = 0; i < statuses.size(); ++i)
    if (quality_of(statuses[i]) == Quality::bad)
      return fail(Errc::mismatch, std::format("tag '{}' ({}): the server cannot monitor it: {}", bindings[i].name,
                                              bindings[i].node, status_name(statuses[i])));
  return {};
}

void OpcuaSession::go_live(OnValue on_value, OnValue on_history) {
  on_value_ = std::move(on_value);
  on_history_ = std::move(on_history);
  for (const auto& [item, value] : std::exchange(early_, {})) on_value_(item, *value);
}

void OpcuaSession::close(bool orderly) noexcept {
  mute();
  client_.close(orderly);
}

void OpcuaSession::hear(std::size_t item, const UA_DataValue& value) {
  if (on_value_) return on_value_(item, value);
  if (ended_) return;
  UaDataValue kept;
  UA_DataValue_copy(&value, &*kept);
  early_.emplace_back(item, std::move(kept));
}

}  // namespace rltune::plant
