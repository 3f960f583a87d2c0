#include "opcua_backfill.hpp"

#include "rltune/base/log.hpp"

namespace rltune::plant {
namespace {

constexpr UA_UInt32 kValuesPerRequest = 1000;
constexpr std::size_t kMostValues = 1'000'000;  // of one tag and outage: a server that never ends is stopped

}  // namespace

void OpcuaBackfill::add(std::size_t tag, const UA_NodeId& node, TimePoint from, TimePoint until) {
  if (until <= from) return;
  Gap gap{.tag = tag, .node = {}, .from = from, .until = until, .continuation = {}, .values = 0, .reached = from};
  UA_NodeId_copy(&node, &*gap.node);
  gaps_.push_back(std::move(gap));
}

std::vector<OpcuaBackfill::Left> OpcuaBackfill::left() const {
  std::vector<Left> all;
  for (const Gap& gap : gaps_) all.push_back({gap.tag, gap.reached, gap.until});
  return all;
}

void OpcuaBackfill::pump() {
  if (in_flight_ || gaps_.empty()) return;
  Gap& gap = gaps_.front();
  HistoryReadService::Request request;
  auto* details = UA_ReadRawModifiedDetails_new();
  details->startTime = to_ua_time(gap.from);
  details->endTime = to_ua_time(gap.until);
  details->numValuesPerNode = kValuesPerRequest;
  UA_ExtensionObject_setValue(&request->historyReadDetails, details, &UA_TYPES[UA_TYPES_READRAWMODIFIEDDETAILS]);
  request->timestampsToReturn = UA_TIMESTAMPSTORETURN_BOTH;
  request->nodesToRead = UA_HistoryReadValueId_new();
  request->nodesToReadSize = 1;
  UA_NodeId_copy(&*gap.node, &request->nodesToRead->nodeId);
  UA_ByteString_copy(&*gap.continuation, &request->nodesToRead->continuationPoint);
  in_flight_ = client_.send<HistoryReadService>(request, [this](HistoryReadService::Response& response) {
    in_flight_ = false;
    on_history(response);
  });
  if (!in_flight_) gaps_.clear();  // the connection is going; the next session asks again
}

void OpcuaBackfill::on_history(HistoryReadService::Response& response) {
  if (gaps_.empty()) return;
  Gap& gap = gaps_.front();
  const UA_StatusCode service = response->responseHeader.serviceResult;
  if (service != UA_STATUSCODE_GOOD || response->resultsSize != 1) return finish(status_name(service));
  UA_HistoryReadResult& result = response->results[0];
  if (quality_of(result.statusCode) == Quality::bad) return finish(status_name(result.statusCode));
  const auto& object = result.historyData;
  if (object.encoding == UA_EXTENSIONOBJECT_DECODED && object.content.decoded.type == &UA_TYPES[UA_TYPES_HISTORYDATA]) {
    const auto& history = *static_cast<const UA_HistoryData*>(object.content.decoded.data);
    for (std::size_t i = 0; i < history.dataValuesSize; ++i) {
      const auto& value = history.dataValues[i];
      if (!value.hasSourceTimestamp) continue;
      const auto time = from_ua_time(value.sourceTimestamp);
      if (time <= gap.from || time >= gap.until) continue;  // bounds, which live values have brought already
      ++gap.values;
      gap.reached = std::max(gap.reached, time);
      on_value_(gap.tag, value);
    }
  }
  if (result.continuationPoint.length == 0 || gap.values > kMostValues) return finish({});
  std::swap(*gap.continuation, result.continuationPoint);
}

void OpcuaBackfill::finish(std::string_view trouble) {
  const Gap& gap = gaps_.front();
  if (!trouble.empty())
    log::warning("an outage could not be filled from the server's history",
                 {{"tag", std::to_string(gap.tag)}, {"reason", std::string(trouble)}});
  else if (gap.values > 0)
    log::info("an outage was filled from the server's history",
              {{"tag", std::to_string(gap.tag)}, {"values", std::to_string(gap.values)}});
  gaps_.pop_front();
}

}  // namespace rltune::plant
