// A site's decisions, as others ask for them: pages out of the log's files, beside its writer.
//
// Threads: belongs to the thread of a ReadingThread.
#pragma once

#include <filesystem>

#include "rltune/base/error.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/v1/history.pb.h"

namespace rltune::reading {

class Decisions {
 public:
  // `folder`: of the decision log.
  explicit Decisions(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void add_to(bus::Server& server);

  // Errors: invalid_argument (the range, or the decision that it goes on after), corrupt, io.
  Result<> list(const v1::DecisionsRequest& request, v1::DecisionsAnswer& answer) const;
  // Errors: not_found, corrupt, io.
  Result<> find(const v1::DecisionRequest& request, v1::DecisionRecord& answer) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace rltune::reading
