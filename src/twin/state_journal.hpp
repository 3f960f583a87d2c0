// A season on disk, so that a twin that was killed goes on where it was. The journal holds what every step was
// given; replaying it brings the plant to the same state, bit for bit. Format: docs/formats/twin-state.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::twin {

struct StepRecord {
  std::vector<double> inputs;
  double season_return = 0.0;  // after the step: shows that the replay is of the same plant and weather
};

struct ModeRecord {
  std::size_t after_steps = 0;  // position among the steps
  std::size_t output = 0;
  std::uint32_t mode = 0;
};

class StateJournal {
 public:
  struct Contents {
    std::vector<StepRecord> steps;
    std::vector<ModeRecord> modes;
  };

  // Opens `file` or begins it; what a crash left half-written at its end is cut off. `title` names the plant and
  // its season's start. Errors: mismatch (another title), corrupt, io.
  static Result<StateJournal> open(const std::filesystem::path& file, const std::string& title, std::size_t outputs,
                                   std::size_t sync_every);
  StateJournal(StateJournal&& other) noexcept;
  StateJournal& operator=(StateJournal&&) = delete;
  ~StateJournal();

  const Contents& contents() const noexcept { return contents_; }  // as it was when opened

  // Survive the process at once, and the machine's power after every `sync_every`-th step. Errors: io, no_space.
  Result<> append_step(std::span<const double> inputs, double season_return);
  Result<> append_mode(std::size_t output, std::uint32_t mode);

 private:
  StateJournal(int descriptor, std::filesystem::path file, std::size_t sync_every)
      : descriptor_(descriptor), file_(std::move(file)), sync_every_(sync_every) {}
  Result<> append(const std::string& line, bool sync);

  int descriptor_;
  std::filesystem::path file_;
  std::size_t sync_every_;
  std::size_t steps_ = 0;
  Contents contents_;
};

// A journal's text; what follows the last whole line does not count. Errors: mismatch, corrupt (with the line).
Result<StateJournal::Contents> parse_journal(std::string_view text, const std::string& name, const std::string& title,
                                             std::size_t outputs);

}  // namespace rltune::twin
