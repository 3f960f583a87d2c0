#include "rltune/controllers/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <format>

#include "kinds.hpp"
#include "limited_controller.hpp"
#include "rltune/base/check.hpp"

namespace rltune::controllers {
namespace {

constexpr std::size_t kSlots = 4;  // a day's quarters
constexpr double kDay = 86400.0;

// Plays rows of inputs, one for every `steps_per_row` steps; at the end it wraps or holds the last one.
class TapeController final : public LimitedController {
 public:
  TapeController(const char* name, const env::PlantSpec& plant, std::vector<double> rows, double sample_period_s,
                 double row_s, double start_s, bool wraps)
      : LimitedController(plant),
        name_(name),
        rows_(std::move(rows)),
        period_s_(sample_period_s),
        row_s_(row_s),
        start_s_(start_s),
        wraps_(wraps) {
    RLTUNE_CHECK(limits_.size() > 0 && rows_.size() >= limits_.size() && rows_.size() % limits_.size() == 0);
  }
  std::string_view name() const noexcept override { return name_; }
  void reset(const env::Snapshot&) noexcept override { step_ = 0; }
  void decide(const env::Snapshot&, std::span<double> inputs) noexcept override {
    const std::size_t count = rows_.size() / limits_.size();
    const auto now =
        static_cast<std::size_t>(std::floor((start_s_ + static_cast<double>(step_) * period_s_) / row_s_ + 1e-9));
    const std::size_t row = wraps_ ? now % count : std::min(now, count - 1);
    ++step_;
    std::copy_n(rows_.begin() + static_cast<std::ptrdiff_t>(row * limits_.size()), limits_.size(), inputs.begin());
  }

 private:
  const char* name_;
  std::vector<double> rows_;
  double period_s_, row_s_, start_s_;
  bool wraps_;
  std::size_t step_ = 0;
};

std::string slot_name(const env::Variable& input, std::size_t slot) {
  return std::format("{}_{:02}h", input.name, slot * 24 / kSlots);
}

std::vector<ControllerParameter> parameters(const env::PlantSpec& plant) {
  std::vector<ControllerParameter> all{
      {"start_hour", "h", 0.0, 0.0, 24.0, "time of day at which the controller starts"}};
  for (std::size_t i = 0; i < plant.inputs.size(); ++i)
    for (std::size_t slot = 0; slot < kSlots; ++slot)
      all.push_back({slot_name(plant.inputs[i], slot), plant.inputs[i].unit, plant.input_start[i], plant.inputs[i].low,
                     plant.inputs[i].high,
                     std::format("{} from {:02}:00 on", plant.inputs[i].name, slot * 24 / kSlots)});
  return all;
}

Result<std::unique_ptr<Controller>> make(const env::PlantSpec& plant, const ParameterValues& values) {
  std::vector<double> rows;
  for (std::size_t slot = 0; slot < kSlots; ++slot)
    for (const env::Variable& input : plant.inputs) rows.push_back(values.at(slot_name(input, slot)));
  const double start_s = std::fmod(std::max(0.0, values.at("start_hour")), 24.0) * 3600.0;
  return std::make_unique<TapeController>("schedule", plant, std::move(rows), plant.sample_period_s, kDay / kSlots,
                                          start_s, true);
}

}  // namespace

KindEntry schedule_kind() {
  return {"schedule", "inputs by time of day, four values each",
          true,       [](const env::PlantSpec&) { return true; },
          parameters, make};
}

std::unique_ptr<Controller> make_tape(const env::PlantSpec& plant, std::vector<double> inputs) {
  return std::make_unique<TapeController>("tape", plant, std::move(inputs), 1.0, 1.0, 0.0, false);
}

}  // namespace rltune::controllers
