#include "rltune/replay/replay_service.hpp"

#include "rltune/replay/replay.hpp"

namespace rltune::replay {
namespace {

// Every policy that the site has now. One that cannot be loaded is not at hand.
Result<PolicyShelf> shelf_of(const ReplaySources& sources) {
  auto shelf = PolicyShelf::open({}, {sources.weights});
  if (!shelf) return shelf;
  std::vector<std::filesystem::path> artifacts = sources.policies;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(sources.deployed, code)) artifacts.push_back(entry);
  for (const std::filesystem::path& artifact : artifacts) (void)shelf->add(artifact);
  return shelf;
}

}  // namespace

void ReplayService::add_to(bus::Server& server) {
  server.handle<v1::ReplayRequest, v1::ReplayAnswer>(
      "records.Replay", [this](const bus::Call&, const v1::ReplayRequest& request, v1::ReplayAnswer& answer) {
        return replay(request, answer);
      });
}

Result<> ReplayService::replay(const v1::ReplayRequest& request, v1::ReplayAnswer& answer) const {
  const auto decision = historian::find_decision(sources_.decisions, request.id());
  if (!decision && decision.error().code == Errc::not_found)
    return fail(Errc::not_found, "no decision of that id is on record");
  if (!decision) return std::unexpected(decision.error());
  auto shelf = shelf_of(sources_);
  if (!shelf) return std::unexpected(shelf.error());
  const ReplayResult result = replay::replay(*decision, *shelf);
  answer.set_id(decision->id);
  answer.set_outcome(std::string(to_string(result.outcome)));
  answer.set_reason(result.reason);
  for (const Difference& difference : result.differences) {
    v1::ReplayDifference& told = *answer.add_differences();
    told.set_what(difference.what);
    told.set_recorded(digits(difference.recorded));
    told.set_computed(digits(difference.computed));
  }
  return {};
}

}  // namespace rltune::replay
