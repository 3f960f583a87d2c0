#include "stream.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>

#include "listener.hpp"
#include "rltune/bus/bus.hpp"

namespace rltune::bus {
namespace {

// Kept for one that does not read, beside the message that it does not read.
constexpr std::size_t kKeptMax = 2 * kMessageBytesMax;

bool later() noexcept { return errno == EAGAIN || errno == EINTR; }

// Those of `parts` behind the first `skip` bytes, appended.
void keep(std::string& kept, const std::array<std::string_view, 3>& parts, std::size_t skip) {
  for (std::string_view part : parts) {
    const std::size_t left_out = std::min(skip, part.size());
    kept += part.substr(left_out);
    skip -= left_out;
  }
}

}  // namespace

std::optional<Stream> Stream::connect(const std::string& path) noexcept {
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_of(path);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return std::nullopt;
  return Stream(std::move(socket));
}

Stream::Arrived Stream::read() {
  const std::span<char> room = reader_.room();
  const ssize_t size = ::recv(socket_.get(), room.data(), room.size(), 0);
  if (size < 0 && later()) return Arrived::nothing;
  if (size <= 0) return Arrived::gone;
  reader_.took(static_cast<std::size_t>(size));
  return Arrived::something;
}

Stream::Sent Stream::send(const Message& message) {
  const auto prefix = prefix_of(message);
  const std::array<std::string_view, 3> parts{std::string_view(prefix.data(), prefix.size()), message.head,
                                              message.body};
  if (unsent()) {
    if (kept_.size() - written_ + message.head.size() + message.body.size() > kKeptMax) return Sent::no_room;
    keep(kept_, parts, 0);
    return Sent::taken;
  }
  std::array<iovec, 3> pieces{};
  for (std::size_t i = 0; i < parts.size(); ++i) pieces[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
  msghdr all{};
  all.msg_iov = pieces.data();
  all.msg_iovlen = pieces.size();
  const ssize_t size = ::sendmsg(socket_.get(), &all, MSG_NOSIGNAL);
  if (size < 0 && !later()) return Sent::gone;
  const std::size_t sent = size < 0 ? 0 : static_cast<std::size_t>(size);
  if (sent < prefix.size() + message.head.size() + message.body.size()) keep(kept_, parts, sent);
  return Sent::taken;
}

bool Stream::flush() {
  while (unsent()) {
    const ssize_t size = ::send(socket_.get(), &kept_[written_], kept_.size() - written_, MSG_NOSIGNAL);
    if (size < 0) return later();
    written_ += static_cast<std::size_t>(size);
  }
  kept_ = {};
  written_ = 0;
  return true;
}

}  // namespace rltune::bus
