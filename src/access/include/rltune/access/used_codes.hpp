// The codes of second factors that were taken, so that none is taken twice, whatever happens to the process in between
// (OWASP ASVS 6.5.1): one step an account, in one SQLite file (0600). What was taken stays taken: that is on the disk
// before it is answered. A damaged file is put aside: codes of the last 90 s could then be shown once more.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "rltune/base/error.hpp"

namespace rltune::access {

class UsedCodes {
 public:
  // Errors: timeout: another process has it; unsupported: a later version's file; io, denied, no_space.
  static Result<UsedCodes> open(const std::filesystem::path& file);
  UsedCodes(UsedCodes&&) noexcept;
  ~UsedCodes();

  // Takes the code of this step (check_totp), and with it all of earlier ones. False: it was taken, or a later one.
  // Errors: as open(): nothing was taken, and whoever showed it is not let in.
  Result<bool> take(const std::string& account, std::uint64_t step);

 private:
  struct State;
  explicit UsedCodes(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rltune::access
