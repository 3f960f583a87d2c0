// What the demo tells while it runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rltune::demo {

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// One look at the training run.
struct TrainingView {
  std::uint64_t steps = 0, steps_planned = 0;
  double seconds = 0.0;
  std::vector<std::pair<double, double>> evaluated;  // steps, mean return of a season
};

// One look at the running season.
struct SeasonView {
  double day = 0.0, days = 0.0;
  std::map<std::string, double> values;           // latest good value by tag
  std::map<std::string, std::uint64_t> verdicts;  // by action
  std::string link, agent, mode;
  std::uint64_t decisions = 0, reconnects = 0;
  double latency_us_p99 = 0.0;
  std::string happening;  // "the twin's server is dead", or empty
};

// A claim that the run had to show.
struct Check {
  std::string name;
  std::string detail;
  bool passed = false;
};

class Narrator {
 public:
  virtual ~Narrator() = default;
  virtual void begin(int part, int parts, const std::string& title) = 0;
  virtual void progress(const std::string& text) = 0;  // replaces the one before
  virtual void training(const TrainingView& view) = 0;
  virtual void season(const SeasonView& view) = 0;
  virtual void say(const std::string& line) = 0;  // stays; one line
  virtual void end(bool completed) = 0;           // otherwise the part that was begun last failed
};

enum class Narration { lines, screen, none };
std::unique_ptr<Narrator> make_narrator(Narration kind);

}  // namespace rltune::demo
