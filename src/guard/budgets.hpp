// What several outputs share, as the heat of one boiler. Together they are never written to more than the limit, and
// when they want more than there is, each has its part by priority; what one leaves, the others may take.
//
// Nobody is raised on the promise of another: an output that has more than its part gives it back at its own owner's
// next decision, and until the plant holds the lower value the others wait. So the sum stays below the limit also
// while a write is lost, an owner is silent or a rate lets an output go down but slowly.
//
// Memory: create() allocates, nothing else does.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "interlocks.hpp"
#include "rltune/config/site.hpp"

namespace rltune::guard {

// What one output may hold at present.
struct Claim {
  double low = 0.0, high = 0.0;  // writes may be on their way: the plant holds one of the values between them
  bool known = false;
  bool yields = false;  // its owner decides on it, so it will give back what is not its part
};

class Budgets {
 public:
  // Errors: invalid_argument with the field's path.
  static Result<Budgets> create(const config::Site& site, std::span<const std::size_t> output_tags,
                                const Interlocks& interlocks);

  bool shares(std::size_t output) const noexcept { return budget_of_[output] != kNone; }
  // What the owner wants, until it asks anew. REQUIRES: shares(output), value is finite.
  void ask(std::size_t output, double value) noexcept;
  // Nobody wants more for it than it has.
  void forget(std::size_t output) noexcept;
  void forget_all() noexcept;

  // The parts of every budget. `claims`: by output.
  void divide(std::span<const Claim> claims) noexcept;
  // The output's part as of the last divide(). REQUIRES: shares(output).
  double part(std::size_t output) const noexcept;
  // The most that it can be raised to whatever the others hold; where that cannot be told, the least that it has
  // itself. REQUIRES: shares(output).
  double room(std::size_t output, std::span<const Claim> claims) const noexcept;
  // One of them cannot be told. REQUIRES: shares(output).
  bool blind(std::size_t output, std::span<const Claim> claims) const noexcept;

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  struct Share {
    std::size_t output = 0;
    double priority = 0.0;
    double floor = 0.0;  // kept for it: what a limit or an interlock may raise it to at any time
    double want = 0.0;
    bool asked = false;
    double part = 0.0;
    bool open = false;  // while parts are found: neither at its floor nor at what it wants
  };
  struct Budget {
    double limit = 0.0;
    std::vector<Share> shares;
  };

  static void divide(Budget& budget, std::span<const Claim> claims) noexcept;
  static void fill(Budget& budget, double left) noexcept;
  Share& share(std::size_t output) noexcept;
  const Share& share(std::size_t output) const noexcept;

  std::vector<Budget> budgets_;
  std::vector<std::size_t> budget_of_, share_of_;  // by output
};

}  // namespace rltune::guard
