#include "budgets.hpp"

#include <algorithm>
#include <format>

namespace rltune::guard {
namespace {

// What an output holds of the limit, and what it may come to hold without asking.
double claimed(const Claim& claim, double floor) noexcept { return std::max(claim.high, floor); }

}  // namespace

Result<Budgets> Budgets::create(const config::Site& site, std::span<const std::size_t> output_tags,
                                const Interlocks& interlocks) {
  Budgets made;
  made.budget_of_.assign(output_tags.size(), kNone);
  made.share_of_.assign(output_tags.size(), 0);
  for (std::size_t b = 0; b < site.budgets.size(); ++b) {
    const config::Budget& budget = site.budgets[b];
    const auto refuse = [b](const std::string& what) {
      return fail(Errc::invalid_argument, std::format("budgets[{}].{}", b, what));
    };
    made.budgets_.push_back({.limit = budget.limit, .shares = {}});
    double floors = 0.0;
    for (const std::string& name : budget.outputs) {
      const auto tag = site.find_tag(name);
      const auto found = tag ? std::ranges::find(output_tags, *tag) : output_tags.end();
      if (found == output_tags.end()) return refuse(std::format("outputs: '{}' is not a set-point with rules", name));
      const auto output = static_cast<std::size_t>(found - output_tags.begin());
      if (made.shares(output)) return refuse(std::format("outputs: '{}' has a budget already", name));
      const auto priority = budget.priorities.find(name);
      if (priority == budget.priorities.end() || !(priority->second > 0.0))
        return refuse(std::format("priorities: has no part for '{}'", name));
      const config::OutputRule& rule = *std::ranges::find(site.guard.outputs, name, &config::OutputRule::tag);
      if (rule.limits.low < 0.0) return refuse(std::format("outputs: '{}' may be negative", name));
      made.budget_of_[output] = b;
      made.share_of_[output] = made.budgets_.back().shares.size();
      const double floor = interlocks.concern(output) ? std::max(rule.limits.low, rule.safe_value) : rule.limits.low;
      made.budgets_.back().shares.push_back({.output = output, .priority = priority->second, .floor = floor});
      floors += floor;
    }
    if (!(floors <= budget.limit)) return refuse("limit: is below what its outputs may need at any time");
  }
  return made;
}

Budgets::Share& Budgets::share(std::size_t output) noexcept {
  return budgets_[budget_of_[output]].shares[share_of_[output]];
}

const Budgets::Share& Budgets::share(std::size_t output) const noexcept {
  return budgets_[budget_of_[output]].shares[share_of_[output]];
}

void Budgets::ask(std::size_t output, double value) noexcept {
  share(output).want = value;
  share(output).asked = true;
}

void Budgets::forget(std::size_t output) noexcept { share(output).asked = false; }

void Budgets::forget_all() noexcept {
  for (Budget& budget : budgets_)
    for (Share& share : budget.shares) share.asked = false;
}

double Budgets::part(std::size_t output) const noexcept { return share(output).part; }

bool Budgets::blind(std::size_t output, std::span<const Claim> claims) const noexcept {
  return std::ranges::any_of(budgets_[budget_of_[output]].shares,
                             [&claims](const Share& share) { return !claims[share.output].known; });
}

double Budgets::room(std::size_t output, std::span<const Claim> claims) const noexcept {
  if (blind(output, claims)) return claims[output].low;
  const Budget& budget = budgets_[budget_of_[output]];
  double left = budget.limit;
  for (const Share& share : budget.shares)
    if (share.output != output) left -= claimed(claims[share.output], share.floor);
  return left;
}

void Budgets::divide(std::span<const Claim> claims) noexcept {
  for (Budget& budget : budgets_) divide(budget, claims);
}

void Budgets::divide(Budget& budget, std::span<const Claim> claims) noexcept {
  double left = budget.limit, wanted = 0.0, floors = 0.0;
  for (Share& share : budget.shares) {
    share.open = share.asked && claims[share.output].yields;
    share.part = share.open ? std::max(share.want, share.floor) : claimed(claims[share.output], share.floor);
    if (!share.open) {
      left -= share.part;
      continue;
    }
    wanted += share.part;
    floors += share.floor;
  }
  if (wanted <= left) return;
  if (floors < left) return fill(budget, left);
  for (Share& share : budget.shares)
    if (share.open) share.part = share.floor;
}

// Parts in proportion to the priorities, none below its floor and none above what it wants: those that would be are
// put there, the side that is further off first, and the others divide what then is left (Bitran and Hax).
void Budgets::fill(Budget& budget, double left) noexcept {
  while (true) {
    double priorities = 0.0, above = 0.0, below = 0.0;
    for (const Share& share : budget.shares)
      if (share.open) priorities += share.priority;
    if (priorities <= 0.0) return;
    const double level = left / priorities;
    for (const Share& share : budget.shares) {
      if (!share.open) continue;
      above += std::max(0.0, share.priority * level - std::max(share.want, share.floor));
      below += std::max(0.0, share.floor - share.priority * level);
    }
    const bool done = above <= 0.0 && below <= 0.0;
    for (Share& share : budget.shares) {
      if (!share.open) continue;
      const double fair = share.priority * level, most = std::max(share.want, share.floor);
      if (done) {
        share.part = fair;
      } else if (below >= above ? fair < share.floor : fair > most) {
        share.part = below >= above ? share.floor : most;
        share.open = false;
        left -= share.part;
      }
    }
    if (done) return;
  }
}

}  // namespace rltune::guard
