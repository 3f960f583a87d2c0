// A classical controller that io runs when an agent is gone: it sees the same judged tags as the agent did.
//
// Threads: belongs to io's loop. Memory: create() allocates; nothing after it does.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/base/sample.hpp"
#include "rltune/config/site.hpp"
#include "rltune/controllers/controller.hpp"
#include "rltune/pipeline/pipeline.hpp"
#include "rltune/pipeline/snapshot_assembler.hpp"

namespace rltune::io {

class FallbackController {
 public:
  // Null for `fallback: hold`. Errors: not_found, mismatch: the controller's names against the site's tags.
  static Result<std::unique_ptr<FallbackController>> create(const config::Site& site, const config::Agent& agent);

  void add(std::span<const Sample> samples) noexcept { pipeline_.add(samples); }
  // Starts bumplessly from the live state.
  void start(TimePoint now) noexcept;
  // Wanted value of each tag in tags(); empty when an input is not usable: then io holds.
  std::span<const double> act(TimePoint now) noexcept;
  const std::vector<std::size_t>& tags() const noexcept { return assembler_.input_tags(); }

 private:
  FallbackController(pipeline::Pipeline pipeline, pipeline::SnapshotAssembler assembler,
                     std::unique_ptr<controllers::Controller> controller);
  bool assemble(TimePoint now) noexcept;

  pipeline::Pipeline pipeline_;
  pipeline::SnapshotAssembler assembler_;
  std::unique_ptr<controllers::Controller> controller_;
  std::vector<pipeline::TagValue> values_;
  std::vector<double> inputs_;
};

}  // namespace rltune::io
