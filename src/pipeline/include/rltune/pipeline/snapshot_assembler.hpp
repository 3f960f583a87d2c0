// Makes the env::Snapshot of one agent from judged tags: the plant's names on one side, the site's tags on
// the other, the agent's bindings between them. The agent and io's fallback controller share it.
//
// Threads: one assembler belongs to one thread. Memory: create() allocates; assemble() does not.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"
#include "rltune/config/site.hpp"
#include "rltune/env/snapshot.hpp"
#include "rltune/env/space.hpp"
#include "rltune/pipeline/pipeline.hpp"

namespace rltune::pipeline {

// What a plant or a policy expects, by name, in its own order.
struct SnapshotShape {
  env::Space measurements;
  env::Space inputs;
  env::Space exogenous;
  std::size_t forecast_leads = 0;
};

class SnapshotAssembler {
 public:
  // Errors: not_found (a name with no tag: which, and how to bind it), mismatch (units differ: names both;
  // a forecast array shorter than the leads).
  static Result<SnapshotAssembler> create(const config::Site& site, const config::Agent& agent,
                                          const Pipeline& pipeline, const SnapshotShape& shape);

  // Fills the snapshot from `values` (Pipeline::judge). False when a value it needs is not usable: the
  // caller holds; the snapshot then carries NaN there.
  bool assemble(std::span<const TagValue> values, TimePoint now) noexcept;

  // Points into this object; valid until the next assemble().
  const env::Snapshot& snapshot() const noexcept { return snapshot_; }

  // The tag that stands for each of the plant's inputs, in the plant's order.
  const std::vector<std::size_t>& input_tags() const noexcept { return input_tags_; }

 private:
  std::vector<std::size_t> measurement_elements_, input_elements_, exogenous_elements_, forecast_elements_;
  std::vector<std::size_t> input_tags_;
  std::vector<double> measurements_, inputs_, exogenous_, forecast_;
  double season_s_ = 0.0;
  TimePoint season_start_{};
  env::Snapshot snapshot_;

  void point_snapshot() noexcept;

 public:
  SnapshotAssembler() = default;
  SnapshotAssembler(SnapshotAssembler&&) noexcept = default;
  SnapshotAssembler& operator=(SnapshotAssembler&&) noexcept = default;
};

}  // namespace rltune::pipeline
