// Secrets that work once: the first administrator, an invitation, a password that is set anew. They stand in links;
// only their SHA-256 is kept, in one SQLite file (0600). What was taken stays taken: that is on the disk before it is
// answered. A damaged file is put aside: links that were out are then good for nothing.
//
// Other processes may open the same file, so that a link can be made at the console while the gateway runs.
// Threads: any.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"

namespace rltune::access {

struct OneTimeLink {
  std::string purpose;  // "invitation"
  std::string subject;  // whom or what it is for

  friend bool operator==(const OneTimeLink&, const OneTimeLink&) = default;
};

class OneTimeLinks {
 public:
  // Errors: io, denied, no_space; timeout: another process is writing for long; unsupported: a later version's file.
  static Result<OneTimeLinks> open(const std::filesystem::path& file);
  OneTimeLinks(OneTimeLinks&&) noexcept;
  ~OneTimeLinks();

  // 43 letters of base64url. One that is still out for the same purpose and subject ends. REQUIRES: valid_for > 0.
  // Errors: as open().
  Result<std::string> make(const OneTimeLink& link, Duration valid_for, TimePoint now);
  // To show what a link is for before a person confirms it: mail scanners open links as well. Errors: as take().
  Result<OneTimeLink> look(std::string_view secret, TimePoint now) const;
  // Once: of all who show it, at once or one after another, in any process, one gets it. Errors: denied: used, over, or
  // never made; as open(): it may be shown again, and may have been taken.
  Result<OneTimeLink> take(std::string_view secret, TimePoint now);
  // True: there was one that could still be taken.
  Result<bool> withdraw(const OneTimeLink& link, TimePoint now);

 private:
  struct State;
  explicit OneTimeLinks(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rltune::access
