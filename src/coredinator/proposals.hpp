// Changes of the configuration that wait for a second person: no account alone brings them about.
//
// Durable: what add() has answered is there after a crash. Bounded: kProposalsMax at once, each for kProposalLife.
// Encrypted sites: authors and reasons are kept as vault keeps them. Threads: one.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "rltune/base/clock.hpp"
#include "rltune/base/error.hpp"
#include "rltune/v1/config.pb.h"
#include "rltune/vault/vault.hpp"

namespace rltune::coredinator {

inline constexpr std::size_t kProposalsMax = 20;
inline constexpr Duration kProposalLife = std::chrono::days(7);

struct WaitingChange {
  v1::ConfigProposal shown;
  std::string basis;  // of the files that it was made for: another one, and what was looked at is not what would be
};

class Proposals {
 public:
  // A file that cannot be read is put aside and said: nothing in it takes effect.
  static Proposals open(const std::filesystem::path& file, const Clock& clock);

  // Its id. Errors: denied (too many wait), io, no_space.
  Result<std::string> add(WaitingChange change);
  // What has not ended, oldest first.
  v1::ProposalsAnswer list();
  // Errors: not_found.
  Result<WaitingChange> find(const std::string& id);
  Result<> remove(const std::string& id);

 private:
  Proposals(const std::filesystem::path& file, const Clock& clock)
      : file_(file), clock_(clock), vault_(vault::Vault::beside(file)) {}
  void read();
  Result<> write() const;
  void forget_ended();

  std::filesystem::path file_;
  const Clock& clock_;
  vault::Vault vault_;
  std::vector<WaitingChange> waiting_;
};

}  // namespace rltune::coredinator
