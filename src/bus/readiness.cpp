#include "readiness.hpp"

#include <poll.h>

#include <array>

namespace rltune::bus {

Result<Readiness> Readiness::make() {
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (epoll.get() < 0) return fail(Errc::internal, "cannot make an epoll: the process has too many files open");
  return Readiness(std::move(epoll));
}

std::span<epoll_event> Readiness::wait(std::span<epoll_event> events, std::chrono::milliseconds timeout,
                                       int also) noexcept {
  int patience = static_cast<int>(timeout.count());
  if (also >= 0 && patience > 0) {
    std::array<pollfd, 2> both{{{epoll_.get(), POLLIN, 0}, {also, POLLIN, 0}}};
    if (::poll(both.data(), both.size(), patience) <= 0 || both[0].revents == 0) return {};
    patience = 0;
  }
  const int ready = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), patience);
  return events.first(ready < 0 ? 0U : static_cast<std::size_t>(ready));
}

}  // namespace rltune::bus
