// The keeper's own stderr: every role's lines and its own, as one stream of structured log lines. A reader
// that stalls costs lines, never the keeper's time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rltune/base/log.hpp"

namespace rltune::keeper {

class Forward {
 public:
  explicit Forward(int descriptor);

  // A line as the role printed it: its own JSON passes as it is, anything else is wrapped.
  void line(std::string_view role, std::string_view text);
  // The keeper's own line, from its level up.
  void say(std::string_view level, std::string_view message);
  void set_level(log::Level level) noexcept { level_ = level; }
  std::uint64_t lost() const noexcept { return lost_; }

 private:
  void emit(std::string_view role, std::string_view level, std::string_view message);
  void write(const std::string& bytes);

  log::Level level_ = log::Level::info;
  int descriptor_;
  bool terminal_;
  std::uint64_t lost_ = 0;
};

// One line for people, of a structured log line; nothing when the text is none.
std::string readable(std::string_view json_line);

}  // namespace rltune::keeper
