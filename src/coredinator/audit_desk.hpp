// The audit log of every role, as others ask for it: its lines in pages, and whether it is what was written.
//
// Threads: belongs to the thread of a ReadingThread.
#pragma once

#include <filesystem>

#include "rltune/base/error.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/v1/history.pb.h"

namespace rltune::coredinator {

class AuditDesk {
 public:
  explicit AuditDesk(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void add_to(bus::Server& server);

  // Errors: invalid_argument, not_found, io.
  Result<> lines(const v1::AuditRequest& request, v1::AuditAnswer& answer) const;
  // By the heads and the key of this host. Errors: those of audit::verify().
  Result<> verify(v1::AuditVerificationAnswer& answer) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace rltune::coredinator
