// A secret that works once, for whoever has it on paper: shown when it is made, kept as an argon2id hash in a file of
// its own (0600), and gone from the disk before anybody is let in by it.
//
// Threads: any, in any process: of all who show it at once, one is right.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "rltune/base/error.hpp"

namespace rltune::access {

class SealedSecret {
 public:
  explicit SealedSecret(std::filesystem::path file) : file_(std::move(file)) {}

  // 43 letters of base64url. The one before is good for nothing from now on. Errors: io, no_space, internal.
  Result<std::string> make() const;
  // True: it was right, and is used up. Takes as long where there is none. Errors: denied: others can read the file;
  // io: it could not be used up, and nobody is to be let in.
  Result<bool> take(std::string_view secret) const;

 private:
  std::filesystem::path file_;
};

}  // namespace rltune::access
