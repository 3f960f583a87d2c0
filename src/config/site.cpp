#include "rltune/config/site.hpp"

#include <algorithm>

namespace rltune::config {
namespace {

constexpr double kPeriodsTolerated = 3.0;
constexpr double kToleratedMinimumS = 1.0;

double three_periods_s(const Site& site) {
  double period_s = site.agents.empty() ? Agent{}.period_s : site.agents.front().period_s;
  for (const Agent& agent : site.agents) period_s = std::min(period_s, agent.period_s);
  return std::max(kToleratedMinimumS, kPeriodsTolerated * period_s);
}

}  // namespace

std::optional<std::size_t> Site::find_tag(const std::string& wanted) const {
  const auto found = std::ranges::find(tags, wanted, &Tag::name);
  if (found == tags.end()) return std::nullopt;
  return static_cast<std::size_t>(found - tags.begin());
}

std::optional<std::size_t> Site::find_owner(const std::string& setpoint) const {
  for (std::size_t i = 0; i < agents.size(); ++i)
    if (std::ranges::find(agents[i].outputs, setpoint) != agents[i].outputs.end()) return i;
  return std::nullopt;
}

double Site::stale_after_s(const Tag& tag) const {
  if (tag.stale_after_s > 0.0) return tag.stale_after_s;
  const bool moves =
      tag.role == TagRole::measurement || tag.role == TagRole::exogenous || tag.role == TagRole::forecast;
  return moves ? three_periods_s(*this) : 0.0;
}

double Site::imputation_max_s(const Tag& tag) const {
  return tag.imputation_max_s > 0.0 ? tag.imputation_max_s : three_periods_s(*this);
}

std::filesystem::path Site::key_file() const {
  if (storage.key_file.empty()) return {};
  return std::filesystem::absolute(folder / storage.key_file).lexically_normal();
}

}  // namespace rltune::config
