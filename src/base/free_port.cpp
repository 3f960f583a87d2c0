#include "rltune/base/free_port.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "rltune/base/descriptor.hpp"

namespace rltune {

std::uint16_t free_port() {
  const Descriptor probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  const bool found = ::bind(probe.get(), reinterpret_cast<const sockaddr*>(&where), size) == 0 &&
                     ::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&where), &size) == 0;
  return found ? ntohs(where.sin_port) : std::uint16_t{0};
}

}  // namespace rltune
