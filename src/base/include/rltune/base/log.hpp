// Structured logs: one JSON object a line on stderr (time, level, role, message, fields...), plain text
// on a terminal. Levels are the documents': DEBUG, INFO, WARNING, ERROR, CRITICAL.
//
// Threads: log functions may be called from any thread, never on the control path (they allocate).
// Secrets never go in: pass names, not values.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace rltune::log {

enum class Level { debug, info, warning, error, critical };

struct Field {
  std::string_view name;
  std::string value;
};

// Names the role on every later line. Called once, in main().
void start(std::string_view role, Level level = Level::info);
void set_level(Level level) noexcept;

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
