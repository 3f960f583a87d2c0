// A share of what all connections may hold together, for as long as it lives.
#pragma once

#include <atomic>
#include <optional>
#include <utility>

namespace rltune::webserver {

class Claim {
 public:
  // nullopt: it would be more than `most`.
  static std::optional<Claim> make(std::atomic<std::size_t>& of, std::size_t amount, std::size_t most) {
    if (of.fetch_add(amount) + amount <= most) return Claim(of, amount);
    of -= amount;
    return std::nullopt;
  }
  ~Claim() {
    if (of_ != nullptr) *of_ -= amount_;
  }
  Claim(Claim&& other) noexcept : of_(std::exchange(other.of_, nullptr)), amount_(other.amount_) {}
  Claim& operator=(Claim&& other) noexcept {
    std::swap(of_, other.of_);
    std::swap(amount_, other.amount_);
    return *this;
  }

 private:
  Claim(std::atomic<std::size_t>& of, std::size_t amount) : of_(&of), amount_(amount) {}
  std::atomic<std::size_t>* of_;
  std::size_t amount_;
};

}  // namespace rltune::webserver
