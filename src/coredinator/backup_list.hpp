// The backups that lie beside a site, as others ask for them. Threads: belongs to the thread of a ReadingThread.
#pragma once

#include <filesystem>

#include "rltune/base/clock.hpp"
#include "rltune/base/error.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/v1/backup.pb.h"

namespace rltune::coredinator {

class BackupList {
 public:
  BackupList(std::filesystem::path site_folder, const Clock& clock) : folder_(std::move(site_folder)), clock_(clock) {}

  void add_to(bus::Server& server);
  // Without a key names and sizes are told. Errors: io.
  Result<> list(v1::BackupsAnswer& answer) const;

 private:
  std::filesystem::path folder_;
  const Clock& clock_;
};

}  // namespace rltune::coredinator
