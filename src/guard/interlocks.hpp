// The site's interlocks: conditions over the latest samples. Fail closed: a condition whose inputs are bad,
// stale, outside their operating range or not finite, or that has no truth value, counts as tripped.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rltune/base/sample.hpp"
#include "rltune/base/time.hpp"
#include "rltune/config/expression.hpp"
#include "rltune/config/site.hpp"

namespace rltune::guard {

class Interlocks {
 public:
  // `output_tags`: the set-points by output. Errors: invalid_argument with the field's path.
  static Result<Interlocks> create(const config::Site& site, std::span<const std::size_t> output_tags);

  // Writes the reasons of every output: 0, or interlock with what made it trip.
  void evaluate(std::span<const Sample> tags, TimePoint now, std::span<std::uint32_t> reasons) noexcept;
  // One of them may write this output's safe value.
  bool concern(std::size_t output) const noexcept;

 private:
  struct Condition {
    config::Expression expression;
    std::vector<std::size_t> outputs;
  };
  struct Input {
    std::size_t tag = 0;
    Duration stale_after{};  // zero: never
    config::Range operating;
    bool uncertain_is_good = false;
  };

  std::uint32_t judge(const Input& input, std::span<const Sample> tags, TimePoint now) const noexcept;
  std::uint32_t trip(Condition& condition) noexcept;

  std::vector<Condition> conditions_;
  std::vector<Input> inputs_;          // every tag that a condition uses, once
  std::vector<std::uint32_t> faults_;  // by tag
  std::vector<double> values_;         // by tag
};

}  // namespace rltune::guard
