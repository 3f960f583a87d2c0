// The Decider is one agent's decision as a value: samples in, a wanted value for each output out. It owns the
// pipeline, the names' bindings and the policy; it knows no bus and no clock.
//
// Threads: one Decider belongs to one thread.
// Memory:  create() and activate() allocate; add() and decide() do not, and never throw.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/base/sample.hpp"
#include "rltune/config/site.hpp"
#include "rltune/controllers/controller.hpp"
#include "rltune/pipeline/pipeline.hpp"
#include "rltune/pipeline/snapshot_assembler.hpp"
#include "rltune/policy/artifact.hpp"
#include "rltune/policy/policy_controller.hpp"

namespace rltune::agent {

struct Decision {
  controllers::Outcome outcome = controllers::Outcome::hold;
  std::span<const double> values;           // one an output, in the site's order; meant only when outcome is ok
  std::span<const float> observation;       // what the network saw; empty when an input was not usable
  std::span<const double> previous_inputs;  // in the policy's order
  std::span<const float> network_output;
  std::span<const float> recurrent_state;  // of the network before it; empty without recurrent layers
};

class Decider {
 public:
  // Errors: mismatch (an input of the policy that the agent does not own, or the other way round; units),
  // not_found (a name without a tag), and those of the pipeline and the network.
  static Result<Decider> create(const config::Site& site, const config::Agent& agent, const policy::Artifact& artifact);

  void add(std::span<const Sample> samples) noexcept { pipeline_.add(samples); }
  // Points into this object; valid until the next call.
  const Decision& decide(TimePoint now) noexcept;

  // Why the last decision is no proposal: the tags that are not usable and what is wrong with each, or the policy's
  // own fault. Empty when it is one.
  std::string explain() const;
  // What the last decision was made of, and the names of its elements.
  std::span<const pipeline::TagValue> judged() const noexcept { return tags_; }
  const std::vector<std::string>& elements() const noexcept { return element_names_; }

  // Acts by these weights from the next decision on. Errors: mismatch: another shape.
  Result<> activate(const nn::NetworkDescription& network);
  const nn::NetworkDescription& active() const noexcept { return artifact_.network; }

 private:
  Decider(pipeline::Pipeline pipeline, pipeline::SnapshotAssembler assembler,
          std::unique_ptr<policy::PolicyController> controller, const policy::Artifact& artifact,
          std::vector<std::size_t> input_of_output, std::vector<std::string> element_names);

  pipeline::Pipeline pipeline_;
  pipeline::SnapshotAssembler assembler_;
  std::unique_ptr<policy::PolicyController> controller_;
  policy::Artifact artifact_;
  std::vector<std::size_t> input_of_output_;  // which of the policy's inputs each output is
  std::vector<std::string> element_names_;    // of tags_
  std::vector<pipeline::TagValue> tags_;
  std::vector<double> inputs_, values_;
  bool started_ = false;
  Decision decision_;
};

}  // namespace rltune::agent
