// Data health between the plant and a decision: every tag's latest value is judged (quality, range,
// spike, stale, frozen), replaced where the site allows it, and marked when it was.
//
// Threads: one Pipeline belongs to one thread. Memory: create() allocates; nothing after it does.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "rltune/base/error.hpp"
#include "rltune/base/sample.hpp"
#include "rltune/config/site.hpp"

namespace rltune::pipeline {

// Flags of one tag, as a set of bits.
enum class Health : std::uint16_t {
  good = 0,
  missing = 1U << 0,
  bad_quality = 1U << 1,
  out_of_range = 1U << 2,
  spike = 1U << 3,
  stale = 1U << 4,
  frozen = 1U << 5,
  not_finite = 1U << 6,
  imputed = 1U << 7
};

// Health bits as words: "stale and imputed".
std::string describe(std::uint16_t health);

struct TagValue {
  double value = 0.0;        // after imputation; NaN where none is allowed
  std::uint16_t health = 0;  // Health bits
  bool usable = false;       // good, or imputed within the tag's allowance
  TimePoint source_time{};
};

class Pipeline {
 public:
  static Result<Pipeline> create(const config::Site& site);
  ~Pipeline();
  Pipeline(Pipeline&&) noexcept;
  Pipeline& operator=(Pipeline&&) noexcept;

  // Takes samples as they arrive, in any order of tags; older source times than already seen are ignored.
  void add(std::span<const Sample> samples) noexcept;
  // Judges every tag at `now` (the site's clock). One TagValue an element, in the order of element_offset().
  void judge(TimePoint now, std::span<TagValue> out) noexcept;
  std::size_t elements() const noexcept;                       // sum over tags
  std::size_t element_offset(std::size_t tag) const noexcept;  // first element of a tag in judge()'s output

 private:
  struct State;
  explicit Pipeline(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rltune::pipeline
