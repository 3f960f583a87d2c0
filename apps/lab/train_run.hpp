// A training run in its folder:
//
//   run.json         the plan: what is learned, from what, with which hyperparameters and where each came from
//   metrics.jsonl    one JSON object a line, with the names of Stable-Baselines3
//   checkpoint       the whole state; the run continues from it to the same bits
//   best.onnx        the best policy so far, by evaluation on seasons that are not trained on
//
// Evaluation changes no weights: it has seeds and environments of its own.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "rltune/rl/training.hpp"
#include "train_options.hpp"

namespace rltune::lab {

struct BestPolicy {
  nn::NetworkDescription network;
  double mean_return = 0.0;
  std::uint64_t step = 0;
};

class TrainRun {
 public:
  // Stops the command where the folder holds another run.
  TrainRun(const TrainPlan& plan, const TrainOptions& options);
  ~TrainRun();

  // Trains to the end. Stops the command, with a checkpoint written, when interrupted or diverged.
  void train();

  const BestPolicy& best() const noexcept { return best_; }
  const env::Space& reward_terms() const { return training_->spec().reward_terms; }
  rl::EpisodeMeans latest() const { return training_->latest(); }
  std::uint64_t steps() const noexcept { return training_->steps(); }
  std::uint64_t updates() const noexcept { return training_->updates(); }
  double seconds() const;  // spent training, over all sittings

 private:
  using Clock = std::chrono::steady_clock;

  void restore(const std::filesystem::path& path, bool required);
  void checkpoint();
  void archive(Archive& archive);
  bool due(std::uint64_t parts) const noexcept;
  void record();
  void examine();
  void refuse_divergence();
  void show(bool final);
  void append(const nlohmann::ordered_json& line);

  const TrainPlan& plan_;
  const TrainOptions& options_;
  std::filesystem::path folder_;
  std::unique_ptr<rl::Training> training_;
  std::unique_ptr<env::Environment> examination_;
  BestPolicy best_;
  std::string metrics_;              // lines since the last checkpoint
  std::uint64_t metrics_bytes_ = 0;  // of metrics.jsonl that belong to the checkpoint
  double seconds_before_ = 0.0;
  Clock::time_point started_, shown_{}, saved_;
  std::uint64_t steps_before_ = 0;
  int announced_ = -1;
};

}  // namespace rltune::lab
