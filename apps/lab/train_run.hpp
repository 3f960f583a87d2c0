// A training run in its folder, which rltune/runs/run.hpp describes; besides its files
//
//   checkpoint       the whole state; the run continues from it to the same bits
//   best.onnx        the best policy so far, by evaluation on seeds or seasons that are not trained on
//
// Evaluation changes no weights: it has seeds and environments of its own.
//
// Training that diverges (a figure, a weight or the policy's output is no longer finite) goes back to the state of the
// last examination and on with a quarter of every learning rate; how often is bounded. What happens depends on the plan
// alone, so a run that was killed continues to the same bits through setbacks as well.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "rltune/rl/training.hpp"
#include "rltune/runs/run.hpp"
#include "rltune/runs/run_log.hpp"
#include "train_options.hpp"

namespace rltune::lab {

struct BestPolicy {
  nn::NetworkDescription network;
  double mean_return = 0.0;
  double middle_return = 0.0;  // interquartile mean: what decides, so that a few lost episodes do not
  std::uint64_t step = 0;
};

class TrainRun {
 public:
  // Stops the command where the folder holds another run, or another process trains there.
  TrainRun(const TrainPlan& plan, const TrainOptions& options);
  ~TrainRun();

  // Trains to the end. Stops the command, with a checkpoint written, when interrupted or diverged.
  void train();

  const BestPolicy& best() const noexcept { return best_; }
  const env::EnvironmentSpec& spec() const { return training_->spec(); }
  rl::EpisodeMeans latest() const { return training_->latest(); }
  std::uint64_t steps() const noexcept { return training_->steps(); }
  std::uint64_t updates() const noexcept { return training_->updates(); }
  std::size_t setbacks() const noexcept { return setbacks_.size(); }
  const std::string& stopped_because() const noexcept { return stopped_because_; }  // empty: went to its end
  double seconds() const;                                                           // spent training, over all sittings

 private:
  using Clock = std::chrono::steady_clock;

  void build();
  void start();
  void restore(const std::filesystem::path& path);
  void checkpoint();
  void archive(Archive& archive);
  bool due(std::uint64_t parts) const noexcept;
  bool over() const noexcept { return training_->steps() >= plan_.steps || !stopped_because_.empty(); }
  void record_and_examine();
  void record();
  std::optional<std::string> examine();
  std::optional<std::string> divergence() const;
  void step_back(const std::string& what);
  void remember();
  void write_state(runs::Status status, const std::string& reason);
  void show(bool final);
  void append(const std::vector<runs::Scalar>& scalars, const std::vector<runs::Scalar>& timing = {});

  const TrainPlan& plan_;
  const TrainOptions& options_;
  std::filesystem::path folder_;
  runs::RunLock lock_;
  std::shared_ptr<rl::Workers> workers_;
  std::unique_ptr<rl::Training> training_;
  std::unique_ptr<env::Environment> examination_;
  std::optional<runs::RunLog> log_;
  BestPolicy best_;
  std::string sound_;  // the training as it was at the last examination, archived
  std::uint64_t sound_step_ = 0;
  std::vector<runs::Setback> setbacks_;
  std::uint64_t examinations_without_better_ = 0;
  std::string stopped_because_;
  double seconds_before_ = 0.0;
  TimePoint begun_{};
  Clock::time_point started_, shown_{}, saved_;
  std::uint64_t steps_before_ = 0;
  int announced_ = -1;
};

}  // namespace rltune::lab
