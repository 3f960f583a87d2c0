// What is known of one tag element, and the judgement of it.
#pragma once

#include "rltune/base/sample.hpp"
#include "rltune/config/site.hpp"
#include "rltune/pipeline/pipeline.hpp"

namespace rltune::pipeline {

// The limits of a tag, defaults filled in.
struct HealthRules {
  std::optional<config::Range> range;  // outside: the sensor is wrong
  Duration stale_after{};              // zero: never
  Duration frozen_after{};             // zero: never
  double step_limit = 0.0;             // zero: none
  bool uncertain_is_good = false;
  config::Imputation imputation = config::Imputation::none;
  double imputation_value = 0.0;
  Duration imputation_max{};
};

HealthRules rules_of(const config::Site& site, const config::Tag& tag);

class ElementHealth {
 public:
  // `latest_judgement`: a held sample from after it belongs to a clock that has been set back.
  void add(const Sample& sample, const HealthRules& rules, TimePoint latest_judgement) noexcept;
  TagValue judge(TimePoint now, const HealthRules& rules) noexcept;

 private:
  std::uint16_t flags_of(const Sample& sample, const HealthRules& rules) const noexcept;
  TagValue replaced(TimePoint now, const HealthRules& rules, std::uint16_t flags) noexcept;

  bool seen_ = false;
  double value_ = 0.0;
  TimePoint time_{};         // source time of the newest sample of good quality
  std::uint16_t flags_ = 0;  // of the newest sample, by itself
  bool has_good_ = false;
  double good_ = 0.0;    // the last believed value
  TimePoint changed_{};  // source time of its last change
  bool jumped_ = false;  // the newest sample was further off than the step limit
  double jump_ = 0.0;
  bool replacing_ = false;
  TimePoint replacing_since_{};
};

}  // namespace rltune::pipeline
