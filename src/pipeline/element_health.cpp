#include "element_health.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

namespace rltune::pipeline {
namespace {

constexpr std::uint16_t bit(Health health) noexcept { return static_cast<std::uint16_t>(health); }

bool is_read(config::TagRole role) noexcept {
  return role == config::TagRole::measurement || role == config::TagRole::exogenous ||
         role == config::TagRole::forecast;
}

}  // namespace

std::string describe(std::uint16_t health) {
  constexpr std::array kWords{std::pair{Health::missing, "missing"},
                              std::pair{Health::bad_quality, "of bad quality"},
                              std::pair{Health::out_of_range, "out of range"},
                              std::pair{Health::spike, "a spike"},
                              std::pair{Health::stale, "stale"},
                              std::pair{Health::frozen, "frozen"},
                              std::pair{Health::not_finite, "not finite"},
                              std::pair{Health::imputed, "imputed"}};
  std::string text;
  for (const auto& [flag, word] : kWords)
    if ((health & bit(flag)) != 0) text += (text.empty() ? "" : " and ") + std::string(word);
  return text.empty() ? "good" : text;
}

HealthRules rules_of(const config::Site& site, const config::Tag& tag) {
  HealthRules rules;
  // A set-point's range limits what we write, and it stands still for as long as nobody writes it.
  if (is_read(tag.role)) rules.range = tag.operating;
  rules.stale_after = from_seconds(site.stale_after_s(tag));
  rules.frozen_after = from_seconds(tag.frozen_after_s);
  rules.step_limit = tag.step_limit;
  rules.uncertain_is_good = tag.uncertain_is_good;
  rules.imputation = tag.imputation;
  rules.imputation_value = tag.imputation_value;
  rules.imputation_max = from_seconds(site.imputation_max_s(tag));
  return rules;
}

std::uint16_t ElementHealth::flags_of(const Sample& sample, const HealthRules& rules) const noexcept {
  std::uint16_t flags = 0;
  const bool trusted =
      sample.quality == Quality::good || (sample.quality == Quality::uncertain && rules.uncertain_is_good);
  if (!trusted) flags |= bit(Health::bad_quality);
  if (!std::isfinite(sample.value)) return flags | bit(Health::not_finite);
  if (rules.range && (sample.value < rules.range->low || sample.value > rules.range->high))
    flags |= bit(Health::out_of_range);
  // A jump is a spike until the next sample confirms it.
  const bool far = rules.step_limit > 0.0 && has_good_ && std::abs(sample.value - good_) > rules.step_limit;
  const bool confirmed = jumped_ && std::abs(sample.value - jump_) <= rules.step_limit;
  if (far && !confirmed) flags |= bit(Health::spike);
  return flags;
}

void ElementHealth::add(const Sample& sample, const HealthRules& rules, TimePoint latest_judgement) noexcept {
  const bool from_the_future = time_ > latest_judgement + rules.stale_after;
  if (seen_ && sample.source_time < time_ && !from_the_future) return;
  seen_ = true;
  flags_ = flags_of(sample, rules);
  value_ = sample.value;
  jumped_ = (flags_ & bit(Health::spike)) != 0;
  jump_ = sample.value;
  // A sample that says "bad" may carry any time.
  if ((flags_ & bit(Health::bad_quality)) == 0) time_ = sample.source_time;
  if (flags_ != 0) return;
  if (!has_good_ || sample.value != good_) changed_ = sample.source_time;
  has_good_ = true;
  good_ = sample.value;
}

TagValue ElementHealth::judge(TimePoint now, const HealthRules& rules) noexcept {
  std::uint16_t flags = seen_ ? flags_ : bit(Health::missing);
  const auto off = now > time_ ? now - time_ : time_ - now;
  if (seen_ && rules.stale_after > Duration::zero() && off > rules.stale_after) flags |= bit(Health::stale);
  if (has_good_ && rules.frozen_after > Duration::zero() && now - changed_ > rules.frozen_after)
    flags |= bit(Health::frozen);
  if (flags != 0) return replaced(now, rules, flags);
  replacing_ = false;
  return {.value = value_, .health = 0, .usable = true, .source_time = time_};
}

TagValue ElementHealth::replaced(TimePoint now, const HealthRules& rules, std::uint16_t flags) noexcept {
  if (!replacing_ || now < replacing_since_) replacing_since_ = now;
  replacing_ = true;
  TagValue value{
      .value = std::numeric_limits<double>::quiet_NaN(), .health = flags, .usable = false, .source_time = time_};
  const bool hold = rules.imputation == config::Imputation::hold && has_good_;
  const bool fixed = rules.imputation == config::Imputation::value;
  if ((!hold && !fixed) || now - replacing_since_ > rules.imputation_max) return value;
  value.value = hold ? good_ : rules.imputation_value;
  value.health |= bit(Health::imputed);
  value.usable = true;
  return value;
}

}  // namespace rltune::pipeline
