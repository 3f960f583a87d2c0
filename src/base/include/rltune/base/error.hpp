// Errors of the world outside as values. Our own bugs abort: see check.hpp.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace rltune {

enum class Errc {
  invalid_argument,  // a caller's or a user's value is wrong
  not_found,         // a file, tag, node, name
  parse,             // outside bytes do not follow their format
  mismatch,          // two sides disagree: shapes, units, hashes
  corrupt,           // a checksum or an invariant of stored data fails
  io,                // the operating system refused
  no_space,          // the disk is full
  timeout,           // no answer in time
  disconnected,      // the other side is gone
  denied,            // authentication, certificate or permission
  unsupported,       // valid, and not offered here
  cancelled,         // the user or an orderly stop asked for it
  internal,          // a third-party library failed in a way it does not explain
};

// The stable name of a code, as it stands in JSON and logs: "not_found".
const char* to_string(Errc code) noexcept;

// What happened, where, and what to do next, in one sentence or two for the operator.
// Never made on the control path: it allocates.
struct Error {
  Errc code = Errc::internal;
  std::string message;
};

template <typename T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Errc code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

}  // namespace rltune
