// The twin without its protocol: the plant, its clock, who is in charge of its outputs, and its tags.
//
// Outputs are the host's while an output's mode is remote and guard_alive keeps changing. Otherwise the plant's
// own control has them, the set-points follow what it does, and the host's writes are refused; when the host
// comes back it finds in the set-points what is applied and goes on from there.
//
// Threads: one TwinCore belongs to one thread.
#pragma once

#include <optional>
#include <vector>

#include "local_control.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/env/simulation.hpp"
#include "rltune/twin/tag.hpp"
#include "sensor_fault.hpp"
#include "step_clock.hpp"
#include "watchdog.hpp"

namespace rltune::twin {

struct CoreOptions {
  ClockMode clock = ClockMode::wall;
  double speed = 1.0;
  TimePoint start{};                              // plant time of step 0
  Duration shed_after = std::chrono::seconds(5);  // wall clock, also in lockstep; 0: never
  bool weather = true;                            // the exogenous variables are weather (a folder's name)
  bool test_faults = false;
};

class TwinCore final : public TagHost {
 public:
  // REQUIRES: the simulation has one instance and was just reset.
  TwinCore(std::unique_ptr<env::Simulation> simulation, const CoreOptions& options, const Clock& clock);

  std::span<const TagSpec> tags() const noexcept override { return specs_; }
  const TagValue& value(std::size_t tag) const noexcept override { return values_[tag]; }
  WriteStatus write(std::size_t tag, const TagContent& content, Role role) override;

  std::optional<std::size_t> find(std::string_view name) const noexcept;
  const env::Simulation& simulation() const noexcept { return *simulation_; }
  std::uint32_t steps_done() const noexcept { return clock_.step(); }
  double season_return() const noexcept { return season_return_; }
  bool done() const noexcept { return simulation_->finished(0); }
  bool shed() const noexcept { return shed_; }

  // By output: 0 local, 1 remote.
  std::vector<std::uint32_t> modes() const;
  // An output's DCS mode, for those that reach it without OPC UA. Errors: not_found, listing the mode tags.
  Result<> set_mode(std::string_view mode_tag, std::uint32_t mode);

  // Takes or gives back the outputs as the heartbeat says, and announces it and every other change that
  // clients' writes caused.
  void watch(TagSink& sink);

  bool step_due() const noexcept;
  Duration until_due() const noexcept;  // until a step or a shed has to happen
  void step();                          // integrates one sample period; publish() announces the outcome
  void publish(TagSink& sink);          // every value of the plant; the step counter last
  void publish_sensors(TagSink& sink);  // the sensors again, at the present plant time

  // The inputs that the step just made was given; replay() with the same ones, in order, brings a new core to
  // the same state, bit for bit: what a simulation draws depends on its seed alone.
  std::span<const double> inputs_given() const noexcept { return wanted_; }
  void replay(std::span<const double> inputs);
  // After the last replay(): the modes as they were, and the clock goes on from now. REQUIRES: one mode an output.
  void resume(std::span<const std::uint32_t> modes);

 private:
  struct Group {
    std::size_t first = 0;
    std::size_t count = 0;
    bool contains(std::size_t tag) const noexcept { return tag >= first && tag < first + count; }
  };

  Group add(std::span<const env::Variable> variables, std::string_view folder, TagAccess access);
  std::size_t add(TagSpec spec, TagContent content);
  void add_forecasts();
  void add_season();
  void add_control();
  void set(std::size_t tag, TagContent content, TimePoint time);
  void show_sensors(TimePoint time);
  TimePoint stamp() const noexcept;
  void refresh();

  const env::PlantSpec& spec() const noexcept { return simulation_->plant(); }
  std::size_t leads() const noexcept { return simulation_->task().forecast_leads; }
  void take_step();

  bool remote(std::size_t input) const noexcept;
  std::int32_t local_outputs() const noexcept;
  WriteStatus write_setpoint(std::size_t input, double value, Role role);
  void follow_applied(std::size_t input);
  WriteStatus write_mode(std::size_t input, std::uint32_t mode);
  WriteStatus write_fault(std::string_view text);

  std::unique_ptr<env::Simulation> simulation_;
  double season_return_ = 0.0;
  CoreOptions options_;
  const Clock& wall_;
  StepClock clock_;
  Watchdog watchdog_;
  LocalControl local_;
  bool shed_ = false;

  std::vector<TagSpec> specs_;
  std::vector<TagValue> values_;
  Group sensors_, setpoints_, applied_, exogenous_, forecasts_, rewards_, modes_;
  std::size_t issued_ = 0, season_start_ = 0, progress_ = 0, season_steps_ = 0, season_done_ = 0, return_ = 0;
  std::size_t guard_alive_ = 0, agent_alive_ = 0, shed_tag_ = 0, local_control_ = 0, step_ = 0;
  std::optional<std::size_t> advance_, fault_;

  std::vector<double> wanted_;                 // by input: what the host asked for last
  std::vector<std::optional<double>> manual_;  // by input: an operator's value, while the mode is local
  std::vector<SensorFault> faults_;            // by sensor
  std::vector<std::size_t> changed_;           // by writes, to be announced by watch()
};

}  // namespace rltune::twin
