// Files that the disk has damaged: each is kept under another name beside where it was, the log says so at CRITICAL,
// and who listens in this process hears of it (the audit log does).
//
// Threads: any, never on the control path.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune {

struct Damage {
  std::filesystem::path file;
  std::filesystem::path kept;  // where it is now; empty: it stays where it is
  std::string why;             // what is wrong with it
  std::string now;             // what happens by itself: "the day goes on in a new file"
};

// Renames to "registry.db.damaged-20260102T030405Z", a database with its log and index, a folder as a whole, and tells.
// Errors: io: it cannot be renamed; that is told as well.
Result<> put_aside(const std::filesystem::path& file, const std::string& why, const std::string& now);
// Of what a person has to move away.
void tell_damage(Damage damage);

// What was put aside in a folder and below, and nobody has moved away since; sorted.
std::vector<std::filesystem::path> put_aside_in(const std::filesystem::path& folder);

// As long as it lives, `hear` is called for every damage of this process, at once for those told before any listener
// was there.
class DamageListener {
 public:
  explicit DamageListener(std::function<void(const Damage&)> hear);
  ~DamageListener();
  DamageListener(const DamageListener&) = delete;
  DamageListener& operator=(const DamageListener&) = delete;
};

}  // namespace rltune
