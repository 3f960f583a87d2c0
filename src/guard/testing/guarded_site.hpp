// A site with every kind of guard rule, and a plant that shows samples of it: what guard and io tests stand on.
#pragma once

#include <chrono>
#include <vector>

#include "rltune/base/sample.hpp"
#include "rltune/config/site.hpp"

namespace rltune::guard {

inline constexpr std::size_t kTemperature = 0, kHeating = 1, kHeatingMode = 2, kPressure = 3, kFan = 4;

// heating: limits, rate, step, DCS mode, an interlock on the temperature. fan: run times, starts, an interlock
// on the pressure. Agent 0 owns heating, agent 1 the fan.
inline config::Site guarded_site() {
  using config::TagRole;
  config::Site site;
  site.name = "guarded";
  site.tags = {
      {.name = "temperature", .node = "nsu=urn:g;s=t", .operating = config::Range{-20, 60}},
      {.name = "heating", .node = "nsu=urn:g;s=h", .role = TagRole::setpoint, .operating = config::Range{0, 200}},
      {.name = "heating_mode", .node = "nsu=urn:g;s=m", .role = TagRole::mode},
      {.name = "pressure", .node = "nsu=urn:g;s=p", .operating = config::Range{0, 10}},
      {.name = "fan", .node = "nsu=urn:g;s=f", .role = TagRole::setpoint, .operating = config::Range{0, 5}}};
  site.agents = {{.id = "climate", .policy = "p", .period_s = 10.0, .outputs = {"heating"}, .hold_s = 60.0},
                 {.id = "air", .policy = "p", .period_s = 10.0, .outputs = {"fan"}, .hold_s = 0.0}};
  site.guard.mode = "automatic";
  site.guard.outputs = {{.tag = "heating",
                         .limits = {0, 150},
                         .rate_per_s = 2.0,
                         .step_max = 15.0,
                         .safe_value = 0.0,
                         .mode_tag = "heating_mode",
                         .mode_remote = {1.0}},
                        {.tag = "fan",
                         .limits = {0, 5},
                         .on_above = 0.5,
                         .minimum_on_s = 120,
                         .minimum_off_s = 300,
                         .starts_per_hour = 3,
                         .safe_value = 1.0}};
  site.guard.interlocks = {{.name = "too_hot", .require = "temperature < 38", .outputs = {"heating"}},
                           {.name = "pressure", .require = "not(pressure > 8)", .outputs = {"fan"}}};
  return site;
}

inline constexpr std::size_t kRail = 5, kPipe = 6;

// The same, and a boiler that heating shares with two more: rail, which is the air agent's, and pipe, which people set
// by hand. Together they may ask for more than twice of what there is.
inline config::Site shared_site() {
  using config::TagRole;
  config::Site site = guarded_site();
  site.tags.push_back({.name = "rail", .node = "nsu=urn:g;s=r", .role = TagRole::setpoint});
  site.tags.push_back({.name = "pipe", .node = "nsu=urn:g;s=q", .role = TagRole::setpoint});
  site.agents[1].outputs.push_back("rail");
  site.guard.outputs.push_back(
      {.tag = "rail", .limits = {5, 120}, .step_max = 30, .on_above = 20, .minimum_on_s = 60, .safe_value = 10});
  site.guard.outputs.push_back({.tag = "pipe", .limits = {0, 100}, .safe_value = 0});
  site.guard.interlocks[1].outputs.push_back("rail");
  site.budgets = {{.name = "boiler",
                   .limit = 160,
                   .outputs = {"heating", "rail", "pipe"},
                   .priorities = {{"heating", 0.5}, {"rail", 0.3}, {"pipe", 0.2}}}};
  return site;
}

struct GuardedPlant {
  static constexpr TimePoint kStart{std::chrono::seconds(1'700'000'000)};

  explicit GuardedPlant(const config::Site& site) : samples(site.tags.size()) {
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i].tag = static_cast<std::uint32_t>(i);
    set(kTemperature, 20.0, kStart);
    set(kHeating, 50.0, kStart);
    set(kHeatingMode, 1.0, kStart);
    set(kPressure, 5.0, kStart);
    set(kFan, 0.0, kStart);
    for (const std::size_t shared : {kRail, kPipe})
      if (shared < samples.size()) set(shared, 5.0, kStart);
  }

  void set(std::size_t tag, double value, TimePoint time) {
    samples[tag].value = value;
    samples[tag].source_time = samples[tag].received_time = time;
    samples[tag].quality = Quality::good;
  }

  // Measurements are sampled anew; set-points and modes keep the time they were set.
  void refresh(TimePoint now) {
    for (const std::size_t tag : {kTemperature, kPressure}) samples[tag].source_time = samples[tag].received_time = now;
  }

  std::vector<Sample> samples;
};

}  // namespace rltune::guard
