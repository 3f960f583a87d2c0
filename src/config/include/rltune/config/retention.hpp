// retention.yaml: what is kept beside the samples, whose retention is the site's `storage`, and for how long.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "rltune/base/error.hpp"

namespace rltune::config {

struct BackupRetention {
  std::size_t newest = 4;  // from v2
  std::size_t daily = 7;
  std::size_t weekly = 5;
  std::size_t monthly = 12;
};

struct Retention {
  std::string schema = "rltune/retention/v2";
  double decisions_days = 1095.0;
  double audit_days = 3650.0;
  double logs_days = 30.0;
  double logs_max_mb = 1024.0;
  std::size_t checkpoints = 3;
  double free_min_gb = 2.0;  // below it the oldest logs go first
  BackupRetention backups;
};

// Strict, as load_site().
Result<Retention> load_retention(const std::filesystem::path& file);

}  // namespace rltune::config
