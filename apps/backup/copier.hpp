// Copies a folder's backups to a place elsewhere, when it answers: waits between attempts, part of each random, and
// says in a file how it stands.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "rltune/backup/offsite.hpp"
#include "rltune/base/breaker.hpp"
#include "rltune/base/clock.hpp"

namespace rltune::backup {

class Copier {
 public:
  Copier(std::filesystem::path folder, std::string site, Offsite& place, Duration wait_first);

  // A backup came. What is kept there from now on, by the rule; without one: all.
  void expect(const std::optional<config::BackupRetention>& rule) {
    waiting_ = true;
    rule_ = rule;
  }
  bool waiting() const noexcept { return waiting_; }
  // Copies what waits, unless it is too early to try again. True when it tried.
  bool turn();
  const std::string& trouble() const noexcept { return trouble_; }

 private:
  void write_status() const;

  std::filesystem::path folder_;
  std::string site_;
  Offsite& place_;
  std::optional<config::BackupRetention> rule_;
  WallClock clock_;
  Breaker breaker_;
  bool waiting_ = false;
  std::string newest_, copied_at_, trouble_, since_;
};

// How the copies of the backups in a folder stand, as Copier last wrote it down: one object a site.
nlohmann::ordered_json copies_of(const std::filesystem::path& folder);

}  // namespace rltune::backup
