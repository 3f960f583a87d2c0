// The site that policy::sample_artifact() fits on, and samples of all its tags.
#pragma once

#include <vector>

#include "rltune/base/sample.hpp"
#include "rltune/config/site.hpp"

namespace rltune::experience {

inline config::Site site_of_sample() {
  using Role = config::TagRole;
  const auto tag = [](const char* name, const char* unit, Role role, std::size_t elements = 1) {
    config::Tag made;
    made.name = name;
    made.unit = unit;
    made.role = role;
    made.elements = elements;
    return made;
  };
  config::Site site;
  site.name = "sample";
  site.tags = {tag("air_temperature", "degC", Role::measurement),
               tag("co2", "ppm", Role::measurement),
               tag("radiation", "W/m2", Role::exogenous),
               tag("radiation_forecast", "W/m2", Role::forecast, 2),
               tag("heating", "W/m2", Role::setpoint),
               tag("vents", "1", Role::setpoint)};
  site.tags[3].forecasts = "radiation";
  config::Agent agent;
  agent.id = "climate";
  agent.period_s = 10.0;
  agent.outputs = {"vents", "heating"};
  site.agents = {agent};
  return site;
}

inline std::vector<Sample> good_samples(TimePoint time) {
  const auto sample = [time](std::uint32_t tag, std::uint32_t element, double value) {
    return Sample{.tag = tag,
                  .element = element,
                  .value = value,
                  .source_time = time,
                  .received_time = time,
                  .quality = Quality::good};
  };
  return {sample(0, 0, 21.0),  sample(1, 0, 600.0), sample(2, 0, 300.0), sample(3, 0, 310.0),
          sample(3, 1, 320.0), sample(4, 0, 50.0),  sample(5, 0, 0.5)};
}

}  // namespace rltune::experience
