// Structured logs: one JSON object a line on stderr (time, level, role, message, fields...), plain text
// on a terminal. Levels are the documents': DEBUG, INFO, WARNING, ERROR, CRITICAL. A line that is written while
// a call is served carries the call's correlation id, and the trace's where it is traced.
//
// Threads: log functions may be called from any thread, never on the control path (they allocate).
// Secrets never go in: pass names, not values.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"

namespace rltune::log {

enum class Level : std::uint8_t { debug, info, warning, error, critical };
inline constexpr std::array kLevels{Level::debug, Level::info, Level::warning, Level::error, Level::critical};

const char* name_of(Level level) noexcept;  // "DEBUG"
// In either case. Errors: invalid_argument, listing them.
Result<Level> parse_level(std::string_view word);

struct Field {
  std::string_view name;
  std::string value;
};

// Names the role on every later line. Called once, in main().
void start(std::string_view role, Level level = Level::info);
// While the role runs, from any thread.
void set_level(Level level) noexcept;
Level level() noexcept;
std::uint64_t lines(Level level) noexcept;  // written at this level since the start

// A line that is written, as whoever listens gets it.
struct Line {
  Level level;
  std::string_view role, message, correlation_id;
  std::span<const Field> fields;
  TimePoint time;
};
class Listener {
 public:
  virtual ~Listener() = default;
  // From any thread; neither waits nor logs.
  virtual void hear(const Line& line) noexcept = 0;
};
// Every line goes to it as well, until another one listens; none: to nobody. When it returns nobody is with the one
// before any more.
void listen(Listener* listener) noexcept;

// As long as it lives, this thread's lines carry the id, which has to live as long. They nest. Allocates nothing.
class Correlation {
 public:
  explicit Correlation(std::string_view id) noexcept;
  ~Correlation();
  Correlation(const Correlation&) = delete;
  Correlation& operator=(const Correlation&) = delete;
  static std::string_view current() noexcept;  // empty where there is none

 private:
  std::string_view before_;
};

void write(Level level, std::string_view message, std::initializer_list<Field> fields = {});
inline void debug(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::debug, message, fields);
}
inline void info(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::info, message, fields);
}
inline void warning(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::warning, message, fields);
}
inline void error(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::error, message, fields);
}
inline void critical(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::critical, message, fields);
}

}  // namespace rltune::log
