// The WeightsBoard is a file in the run folder that a learner and its agent both map: the learner puts the
// latest candidate there, the agent says what became of it. Neither ever waits for the other; one that dies
// in the middle of writing leaves an odd sequence, which the other passes over.
//
// Threads: one writer process and one reader process, each with its own board object on one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "rltune/base/error.hpp"

namespace rltune::agent {

// How a candidate compared with the acting policy on the latest live observations, by the learner's critics.
struct ShadowReport {
  std::uint64_t observations = 0;
  double gain = 0.0;      // mean of Q(s, candidate) - Q(s, acting)
  double gain_low = 0.0;  // lower end of its 95 % interval, one-sided
  double margin = 0.0;    // a loss as small as this counts as none
};

struct Candidate {
  std::uint64_t sequence = 0;
  std::string onnx;
  std::string sha256;
  ShadowReport shadow;
};

class WeightsBoard {
 public:
  static std::filesystem::path path_in(const std::filesystem::path& run_folder, const std::string& agent);

  // Maps the board, and makes it where there is none. Errors: io, mismatch (another version's).
  static Result<WeightsBoard> open(const std::filesystem::path& file);
  ~WeightsBoard();
  WeightsBoard(WeightsBoard&& other) noexcept : map_(std::exchange(other.map_, nullptr)), seen_(other.seen_) {}
  WeightsBoard& operator=(WeightsBoard&&) = delete;

  // The learner's side. False when the weights are larger than the board.
  bool publish(std::string_view onnx, std::string_view sha256, const ShadowReport& shadow) noexcept;
  // SHA-256 of what the agent acts by; empty before it said so.
  std::string acting() const;

  // The agent's side. A candidate that was not taken before and whose bytes are what its hash says.
  std::optional<Candidate> take();
  void set_acting(std::string_view sha256) noexcept;

 private:
  struct Map;
  explicit WeightsBoard(Map* map) : map_(map) {}
  Map* map_;
  std::uint64_t seen_ = 0;
};

}  // namespace rltune::agent
