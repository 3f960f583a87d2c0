#include "opcua_subscription.hpp"

#include <cmath>
#include <format>

#include "rltune/base/log.hpp"

namespace rltune::plant {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Items of one subscription: enough for most sites, few enough that one answer stays a small message.
constexpr std::size_t kItemsPerSubscription = 1000;
// A server lets a subscription whose client is gone expire after this time.
constexpr double kLifetimeMs = 30'000.0;
constexpr UA_UInt32 kPublishTimeoutMs = 600'000;
constexpr UA_UInt32 kLargestGap = 1000;

double milliseconds(Duration duration) { return to_seconds(duration) * 1e3; }

// A keep-alive at least three times within the inactivity timeout.
UA_UInt32 keep_alive_count(const OpcuaOptions& options) {
  const double count = milliseconds(options.inactivity_timeout) / 3.0 / milliseconds(options.publishing_interval);
  return static_cast<UA_UInt32>(std::clamp(count, 1.0, 1000.0));
}

// A negative sampling interval is the publishing interval (Part 4, 7.21).
Duration sampled_every(const OpcuaOptions& options) {
  return options.sampling_interval < Duration::zero() ? options.publishing_interval : options.sampling_interval;
}

// The queue holds what happens between two publishings, twice over.
UA_UInt32 queue_size(const OpcuaOptions& options) {
  const double sampling = std::max(milliseconds(sampled_every(options)), 1.0);
  return static_cast<UA_UInt32>(
      std::clamp(std::ceil(2.0 * milliseconds(options.publishing_interval) / sampling), 2.0, 1000.0));
}

void set_filter(UA_MonitoringParameters& parameters) {
  // With the time stamp in the trigger a fresh measurement of the same value counts as news, so that a
  // steady signal is not taken for a dead one.
  auto* filter = UA_DataChangeFilter_new();
  filter->trigger = UA_DATACHANGETRIGGER_STATUSVALUETIMESTAMP;
  UA_ExtensionObject_setValue(&parameters.filter, filter, &UA_TYPES[UA_TYPES_DATACHANGEFILTER]);
}

}  // namespace

Result<OpcuaSubscriptions::Group> OpcuaSubscriptions::create_group() {
  CreateSubscriptionService::Request request;
  request->requestedPublishingInterval = milliseconds(options_.publishing_interval);
  request->requestedMaxKeepAliveCount = keep_alive_count(options_);
  request->requestedLifetimeCount = std::max(static_cast<UA_UInt32>(kLifetimeMs / request->requestedPublishingInterval),
                                             3 * request->requestedMaxKeepAliveCount);
  request->publishingEnabled = true;
  auto answer = client_.call<CreateSubscriptionService>(request, "CreateSubscription");
  if (!answer) return std::unexpected(answer.error());
  const double revised = (*answer)->revisedPublishingInterval;
  if (revised != request->requestedPublishingInterval)
    log::info("the server revised the publishing interval",
              {{"requested_ms", std::format("{}", request->requestedPublishingInterval)},
               {"revised_ms", std::format("{}", revised)}});
  const double keep_alive_ms = revised * std::max<UA_UInt32>((*answer)->revisedMaxKeepAliveCount, 1);
  return Group{.id = (*answer)->subscriptionId,
               .next_sequence = 1,
               .silence_limit = from_seconds(3.0 * keep_alive_ms / 1e3) + options_.call_timeout,
               .heard = SteadyClock::now()};
}

Result<> OpcuaSubscriptions::create(std::span<const UA_NodeId* const> nodes, const OperationLimits& limits,
                                    std::vector<UA_StatusCode>& statuses) {
  statuses.assign(nodes.size(), UA_STATUSCODE_GOOD);
  for (std::size_t first = 0; first < nodes.size();) {
    auto group = create_group();
    if (!group) return std::unexpected(group.error());
    groups_.push_back(*group);
    pump();  // the first notification may be ready before the last item is made
    const std::size_t end = std::min(nodes.size(), first + kItemsPerSubscription);
    while (first < end) {
      const std::size_t count = std::min(limits.monitored_items, end - first);
      const auto chunk = std::span(statuses).subspan(first, count);
      if (auto made = create_items(*group, nodes.subspan(first, count), first, chunk, true); !made) return made;
      // Not every server can filter; those report changes of value and status then.
      for (std::size_t i = 0; i < count; ++i)
        if (chunk[i] == UA_STATUSCODE_BADMONITOREDITEMFILTERUNSUPPORTED ||
            chunk[i] == UA_STATUSCODE_BADFILTERNOTALLOWED)
          if (auto made = create_items(*group, nodes.subspan(first + i, 1), first + i, chunk.subspan(i, 1), false);
              !made)
            return made;
      first += count;
    }
  }
  return {};
}

Result<> OpcuaSubscriptions::create_items(const Group& group, std::span<const UA_NodeId* const> nodes,
                                          std::size_t first, std::span<UA_StatusCode> statuses, bool filtered) {
  CreateMonitoredItemsService::Request request;
  request->subscriptionId = group.id;
  request->timestampsToReturn = UA_TIMESTAMPSTORETURN_BOTH;
  request->itemsToCreate = static_cast<UA_MonitoredItemCreateRequest*>(
      UA_Array_new(nodes.size(), &UA_TYPES[UA_TYPES_MONITOREDITEMCREATEREQUEST]));
  request->itemsToCreateSize = nodes.size();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    auto& item = request->itemsToCreate[i];
    UA_NodeId_copy(nodes[i], &item.itemToMonitor.nodeId);
    item.itemToMonitor.attributeId = UA_ATTRIBUTEID_VALUE;
    item.monitoringMode = UA_MONITORINGMODE_REPORTING;
    item.requestedParameters.clientHandle = static_cast<UA_UInt32>(first + i);
    item.requestedParameters.samplingInterval = milliseconds(options_.sampling_interval);
    item.requestedParameters.queueSize = queue_size(options_);
    item.requestedParameters.discardOldest = true;
    if (filtered) set_filter(item.requestedParameters);
  }
  auto answer = client_.call<CreateMonitoredItemsService>(request, "CreateMonitoredItems");
  if (!answer) return std::unexpected(answer.error());
  if ((*answer)->resultsSize != nodes.size())
    return fail(Errc::io, "CreateMonitoredItems: the server answered for other items");
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto& result = (*answer)->results[i];
    statuses[i] = result.statusCode;
    if (!intervals_logged_ && result.statusCode == UA_STATUSCODE_GOOD &&
        result.revisedSamplingInterval > milliseconds(sampled_every(options_))) {
      intervals_logged_ = true;  // once a session: a server revises all alike
      log::info("the server samples more slowly than asked",
                {{"requested_ms", std::format("{}", milliseconds(sampled_every(options_)))},
                 {"revised_ms", std::format("{}", result.revisedSamplingInterval)}});
    }
  }
  return {};
}

void OpcuaSubscriptions::pump() {
  while (!failure_ && !groups_.empty() && in_flight_ < wanted_) {
    PublishService::Request request;
    request->requestHeader.timeoutHint = kPublishTimeoutMs;
    request->subscriptionAcknowledgements = static_cast<UA_SubscriptionAcknowledgement*>(
        UA_Array_new(acknowledgements_.size(), &UA_TYPES[UA_TYPES_SUBSCRIPTIONACKNOWLEDGEMENT]));
    request->subscriptionAcknowledgementsSize = acknowledgements_.size();
    std::ranges::copy(acknowledgements_, request->subscriptionAcknowledgements);
    acknowledgements_.clear();
    ++in_flight_;
    const bool sent =
        client_.send<PublishService>(request, [this](PublishService::Response& response) { on_publish(*response); });
    if (!sent) {
      --in_flight_;
      return;
    }
  }
}

OpcuaSubscriptions::Group* OpcuaSubscriptions::find(UA_UInt32 id) {
  const auto group = std::ranges::find(groups_, id, &Group::id);
  return group == groups_.end() ? nullptr : &*group;
}

void OpcuaSubscriptions::on_publish(UA_PublishResponse& response) {
  --in_flight_;
  const UA_StatusCode status = response.responseHeader.serviceResult;
  if (status == UA_STATUSCODE_BADTOOMANYPUBLISHREQUESTS) {
    wanted_ = std::max(wanted_ - 1, 1);
    return;
  }
  if (status != UA_STATUSCODE_GOOD) {
    failure_ = service_error(status, "Publish");
    return;
  }
  Group* group = find(response.subscriptionId);
  if (group == nullptr) return;  // of a subscription that is being made: its answer is still on the way
  group->heard = SteadyClock::now();
  const auto& message = response.notificationMessage;
  // Numbers skipped were lost on the way; 0 is none (Part 4, 5.13.1.1). A keep-alive carries the number that
  // comes next; servers that repeat the last one instead must not send us back.
  const UA_UInt32 gap = message.sequenceNumber - group->next_sequence;
  if (gap < kLargestGap) {
    for (UA_UInt32 i = 0; i < gap; ++i) ask_again(*group, group->next_sequence + i);
    group->next_sequence = message.sequenceNumber;
  }
  if (message.notificationDataSize == 0) return;
  group->next_sequence =
      message.sequenceNumber == std::numeric_limits<UA_UInt32>::max() ? 1 : message.sequenceNumber + 1;
  on_notifications(*group, message);
}

void OpcuaSubscriptions::on_notifications(Group& group, const UA_NotificationMessage& message) {
  acknowledgements_.push_back({group.id, message.sequenceNumber});
  for (std::size_t i = 0; i < message.notificationDataSize; ++i) {
    const UA_ExtensionObject& object = message.notificationData[i];
    if (object.encoding != UA_EXTENSIONOBJECT_DECODED) continue;
    const auto* type = object.content.decoded.type;
    if (type == &UA_TYPES[UA_TYPES_DATACHANGENOTIFICATION]) {
      const auto& change = *static_cast<const UA_DataChangeNotification*>(object.content.decoded.data);
      for (std::size_t k = 0; k < change.monitoredItemsSize; ++k)
        on_value_(change.monitoredItems[k].clientHandle, change.monitoredItems[k].value);
    } else if (type == &UA_TYPES[UA_TYPES_STATUSCHANGENOTIFICATION]) {
      const auto& change = *static_cast<const UA_StatusChangeNotification*>(object.content.decoded.data);
      if (quality_of(change.status) == Quality::bad)
        failure_ = service_error(change.status, "the server ended a subscription");
    }
  }
}

void OpcuaSubscriptions::ask_again(const Group& group, UA_UInt32 sequence) {
  RepublishService::Request request;
  request->subscriptionId = group.id;
  request->retransmitSequenceNumber = sequence;
  const UA_UInt32 id = group.id;
  const bool sent = client_.send<RepublishService>(request, [this, id](RepublishService::Response& response) {
    Group* owner = find(id);
    if (owner != nullptr && response->responseHeader.serviceResult == UA_STATUSCODE_GOOD)
      on_notifications(*owner, response->notificationMessage);
    else
      ++lost_;
  });
  if (!sent) ++lost_;
}

std::optional<Error> OpcuaSubscriptions::failure() const {
  if (failure_) return failure_;
  const auto now = SteadyClock::now();
  for (const auto& group : groups_)
    if (now - group.heard > group.silence_limit)
      return Error{Errc::timeout, std::format("subscription {} went silent", group.id)};
  return std::nullopt;
}

}  // namespace rltune::plant
