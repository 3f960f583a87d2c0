#include "routes.hpp"

#include "rltune/bus/bus.hpp"

namespace rltune::coredinator {

namespace {

// What a role recorded, read on a thread of its own.
constexpr const char *kIoRecords = "io.records", *kOwnRecords = "coredinator.records";

}  // namespace

double place_of(std::string_view correlation_id) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a
  for (const char c : correlation_id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  hash ^= hash >> 33U;  // ids that differ in their last digit alone spread over everything
  hash *= 0xff51afd7ed558ccdU;
  hash ^= hash >> 33U;
  return static_cast<double>(hash % 10'000) / 100.0;
}

Routes::Routes(const std::vector<AgentRecord>& agents, const std::vector<Planned>& roles,
               const std::string& run_folder) {
  roles_.emplace(kOwnRecords, bus::call_endpoint(run_folder, kOwnRecords));
  for (const Planned& planned : roles) {
    if (planned.mute) continue;
    const std::string& name = planned.spec.name();
    roles_.emplace(name, bus::call_endpoint(run_folder, name));
    if (name == "io") roles_.emplace(kIoRecords, bus::call_endpoint(run_folder, kIoRecords));
  }
  for (const AgentRecord& agent : agents) {
    const auto endpoint = [&](const Version* version) {
      return version == nullptr ? std::string()
                                : bus::call_endpoint(run_folder, "agent." + instance_of(agent.id, *version));
    };
    const Version* canary = agent.in_state(VersionState::canary);
    agents_[agent.id] = {endpoint(agent.in_state(VersionState::active)), endpoint(canary),
                         canary == nullptr ? 0.0 : canary->canary_share(), agent.running};
  }
}

Result<std::string> Routes::find(std::string_view target, std::string_view correlation_id) const {
  if (const auto agent = agents_.find(target); agent != agents_.end()) {
    const Route& route = agent->second;
    if (!route.running) return fail(Errc::mismatch, "agent " + std::string(target) + " is stopped; start it first");
    const bool canary = route.percent > 0.0 && !correlation_id.empty() && place_of(correlation_id) < route.percent;
    return canary ? route.canary : route.active;
  }
  if (const auto role = roles_.find(target); role != roles_.end()) return role->second;
  std::string known;
  for (const auto& [name, route] : agents_) known += (known.empty() ? "" : ", ") + name;
  for (const auto& [name, endpoint] : roles_) known += (known.empty() ? "" : ", ") + name;
  return fail(Errc::not_found, "no role or agent '" + std::string(target) + "'; there are " + known);
}

}  // namespace rltune::coredinator
