// An open file descriptor that closes itself.
#pragma once

#include <unistd.h>

#include <utility>

namespace rltune {

class Descriptor {
 public:
  // Negative: none.
  explicit Descriptor(int value) noexcept : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  int get() const noexcept { return value_; }

 private:
  int value_;
};

}  // namespace rltune
