// The HTTP endpoint of a role, for tools on the same machine: GET /metrics and GET /healthcheck (200 or 503). It only
// reads, has threads of its own at ordinary priority, and whatever becomes of it the role goes on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "rltune/base/error.hpp"
#include "rltune/metrics/health.hpp"
#include "rltune/metrics/registry.hpp"

namespace rltune::metrics {

class Endpoint {
 public:
  // On 127.0.0.1; port 0: one that is free. Both outlive the endpoint. Errors: io: the port is taken.
  static Result<Endpoint> start(const Registry& registry, const Health& health, std::uint16_t port = 0);
  ~Endpoint();
  Endpoint(Endpoint&&) noexcept;

  const std::string& address() const noexcept;  // "127.0.0.1:43123"

 private:
  struct State;
  explicit Endpoint(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// All three of one role. A port that cannot be had costs the endpoint, not the role: it is logged.
class Operations {
 public:
  Operations(const std::string& role, const Clock& clock, Duration silence_max = std::chrono::seconds(5))
      : registry(role), health(role, clock, silence_max) {}
  void open(std::uint16_t port = 0);
  std::string address() const { return endpoint_ ? endpoint_->address() : std::string(); }

  Registry registry;
  Health health;

 private:
  std::optional<Endpoint> endpoint_;
};

}  // namespace rltune::metrics
