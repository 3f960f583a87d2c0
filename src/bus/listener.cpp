#include "listener.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>

#include "endpoint.hpp"

namespace rltune::bus {
namespace {

ino_t file_at(const std::string& path) noexcept {
  struct stat found{};
  return ::stat(path.c_str(), &found) == 0 ? found.st_ino : 0;
}

}  // namespace

sockaddr_un address_of(const std::string& path) noexcept {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(path, address.sun_path);
  return address;
}

Result<Listener> Listener::bind(const std::string& endpoint) {
  const auto path = prepared_path_of(endpoint);
  if (!path) return std::unexpected(path.error());
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_of(*path);
  ::unlink(path->c_str());
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), SOMAXCONN) != 0)
    return fail(Errc::io, std::format("cannot listen at {}: {}", endpoint, std::strerror(errno)));
  return Listener(std::move(socket), *path, file_at(*path));
}

Listener::~Listener() {
  if (socket_.get() >= 0 && file_at(path_) == file_) ::unlink(path_.c_str());
}

std::optional<Stream> Listener::accept() noexcept {
  Descriptor made(::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (made.get() < 0) return std::nullopt;
  return Stream(std::move(made));
}

}  // namespace rltune::bus
