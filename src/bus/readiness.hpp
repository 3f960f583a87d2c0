// Which of many descriptors can be read or written, under numbers that their owner gives them: epoll. Internal.
#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <span>

#include "rltune/base/descriptor.hpp"
#include "rltune/base/error.hpp"

namespace rltune::bus {

class Readiness {
 public:
  // Errors: internal (out of descriptors).
  static Result<Readiness> make();

  // One that is closed leaves by itself. False when there is no room for more.
  bool watch(int descriptor, std::uint64_t number) noexcept { return set(EPOLL_CTL_ADD, descriptor, number, EPOLLIN); }
  // From here on until it can be written, and then again until it can be read: who does not take what it was sent is
  // not listened to.
  void until_writable(int descriptor, std::uint64_t number) noexcept {
    set(EPOLL_CTL_MOD, descriptor, number, EPOLLOUT);
  }
  void until_readable(int descriptor, std::uint64_t number) noexcept {
    set(EPOLL_CTL_MOD, descriptor, number, EPOLLIN);
  }
  void both(int descriptor, std::uint64_t number) noexcept {
    set(EPOLL_CTL_MOD, descriptor, number, EPOLLIN | EPOLLOUT);
  }
  // Up to `timeout`, or until `also` can be read; its number is data.u64.
  std::span<epoll_event> wait(std::span<epoll_event> events, std::chrono::milliseconds timeout, int also) noexcept;
  int descriptor() const noexcept { return epoll_.get(); }  // can be read when something is ready

 private:
  explicit Readiness(Descriptor epoll) noexcept : epoll_(std::move(epoll)) {}
  bool set(int operation, int descriptor, std::uint64_t number, std::uint32_t events) noexcept {
    epoll_event event{};
    event.events = events;
    event.data.u64 = number;
    return ::epoll_ctl(epoll_.get(), operation, descriptor, &event) == 0;
  }

  Descriptor epoll_;
};

}  // namespace rltune::bus
