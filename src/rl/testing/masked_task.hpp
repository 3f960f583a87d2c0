// The set-point task with nine choices of which only every other one is allowed, the even ones before even steps and
// the odd ones before odd steps: what the mask says shows nowhere in the observation. Counts what was taken against it.
#pragma once

#include "set_point_task.hpp"

namespace rltune::rl {

class MaskedTask final : public env::Environment {
 public:
  static constexpr std::size_t kChoices = 9;

  // One that does not tell its masks still counts.
  explicit MaskedTask(std::size_t size, bool tells = true) : inside_(size, 1.0, kChoices), spec_(inside_.spec()) {
    spec_.name = "masked_task";
    spec_.action_masks = tells;
  }

  const env::EnvironmentSpec& spec() const noexcept override { return spec_; }
  std::size_t size() const noexcept override { return inside_.size(); }
  std::size_t forbidden() const noexcept { return forbidden_; }  // actions taken that were

  void reset(std::uint64_t seed, std::span<float> observations) override {
    time_ = 0;
    inside_.reset(seed, observations);
  }

  // Episodes are of an even number of steps: those of all instances stay in time.
  void step(std::span<const float> actions, const env::StepOutput& out) override {
    for (const float action : actions) forbidden_ += allows(static_cast<std::size_t>(action)) ? 0 : 1;
    ++time_;
    inside_.step(actions, out);
  }

  void write_masks(std::span<std::uint8_t> allowed) const override {
    for (std::size_t i = 0; i < allowed.size(); ++i) allowed[i] = allows(i % kChoices) ? 1 : 0;
  }

  void archive(Archive& archive) override {
    inside_.archive(archive);
    archive.value(time_);
    archive.value(forbidden_);
  }

 private:
  bool allows(std::size_t choice) const noexcept { return choice % 2 == time_ % 2; }

  SetPointTask inside_;
  env::EnvironmentSpec spec_;
  std::size_t time_ = 0, forbidden_ = 0;
};

}  // namespace rltune::rl
