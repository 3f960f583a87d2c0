// A curve with fewer points that looks the same: of each stretch the point that makes the largest triangle with the one
// before and the mean of the stretch behind (largest triangle three buckets: Steinarsson 2013, "Downsampling Time
// Series for Visual Representation"). Points are left out, none is made up; first and last stay.
#pragma once

#include <cstddef>

#include "rltune/runs/run.hpp"

namespace rltune::runs {

// The curve itself where it has no more points than that. REQUIRES: points >= 2.
Curve thinned(const Curve& curve, std::size_t points);

}  // namespace rltune::runs
