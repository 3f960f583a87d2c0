// Of the normal density: log p(x) = -z^2 / 2 - log deviation - log(2 pi) / 2,  z = (x - mean) / deviation
#pragma once

namespace rltune::rl {

inline constexpr float kHalfLogTwoPi = 0.918938533F;

}  // namespace rltune::rl
