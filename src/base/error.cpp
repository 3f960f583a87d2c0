#include "rltune/base/error.hpp"

namespace rltune {

const char* to_string(Errc code) noexcept {
  switch (code) {
    case Errc::invalid_argument:
      return "invalid_argument";
    case Errc::not_found:
      return "not_found";
    case Errc::parse:
      return "parse";
    case Errc::mismatch:
      return "mismatch";
    case Errc::corrupt:
      return "corrupt";
    case Errc::io:
      return "io";
    case Errc::no_space:
      return "no_space";
    case Errc::timeout:
      return "timeout";
    case Errc::disconnected:
      return "disconnected";
    case Errc::denied:
      return "denied";
    case Errc::unsupported:
      return "unsupported";
    case Errc::cancelled:
      return "cancelled";
    case Errc::internal:
      return "internal";
  }
  return "unknown";
}

}  // namespace rltune
