#include "rltune/base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <thread>

#include "rltune/base/clock.hpp"
#include "rltune/base/json_text.hpp"
#include "rltune/base/trace.hpp"

namespace rltune::log {
namespace {

std::string& role_name() {
  static std::string name = "rltune";
  return name;
}

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("rltune", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum spdlog_level(Level level) noexcept {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::critical:
      return spdlog::level::critical;
  }
  return spdlog::level::info;
}

thread_local std::string_view t_correlation;

std::atomic<Listener*> g_listener = nullptr;
std::atomic<int> g_telling = 0;  // threads that are with a listener
std::atomic<Level> g_level{Level::info};
std::array<std::atomic<std::uint64_t>, kLevels.size()> g_lines{};

}  // namespace

const char* name_of(Level level) noexcept {
  switch (level) {
    case Level::debug:
      return "DEBUG";
    case Level::info:
      return "INFO";
    case Level::warning:
      return "WARNING";
    case Level::error:
      return "ERROR";
    case Level::critical:
      return "CRITICAL";
  }
  return "INFO";
}

namespace {

std::string as_text(Level level, std::string_view message, std::initializer_list<Field> fields) {
  std::string line = std::string(role_name()) + ": ";
  if (level != Level::info) line += std::string(name_of(level)) + ": ";
  line += message;
  for (const Field& field : fields) line += " " + std::string(field.name) + "=" + field.value;
  if (!t_correlation.empty()) line += " correlation_id=" + std::string(t_correlation);
  if (trace::current().sampled) line += " trace_id=" + trace::trace_id_of(trace::current());
  return line;
}

std::string as_json(TimePoint time, Level level, std::string_view message, std::initializer_list<Field> fields) {
  std::string line;
  const auto add = [&line](std::string_view name, std::string_view text) {
    line += line.empty() ? '{' : ',';
    append_json_text(line, name);
    line += ':';
    append_any_json_text(line, text);
  };
  add("time", format_rfc3339(time));
  add("level", name_of(level));
  add("role", role_name());
  add("message", message);
  if (!t_correlation.empty()) add("correlation_id", t_correlation);
  if (trace::current().sampled) add("trace_id", trace::trace_id_of(trace::current()));
  for (const Field& field : fields) add(field.name, field.value);
  line += '}';
  return line;
}

}  // namespace

void start(std::string_view role, Level level) {
  role_name() = role;
  set_level(level);
}

Result<Level> parse_level(std::string_view word) {
  std::string upper(word);
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  for (const Level level : kLevels)
    if (upper == name_of(level)) return level;
  return fail(Errc::invalid_argument,
              "'" + std::string(word) + "' is not a level; choose debug, info, warning, error or critical");
}

void set_level(Level level) noexcept {
  logger().set_level(spdlog_level(level));
  g_level = level;
}

Level level() noexcept { return g_level; }

std::uint64_t lines(Level level) noexcept { return g_lines[static_cast<std::size_t>(level)]; }

Correlation::Correlation(std::string_view id) noexcept : before_(std::exchange(t_correlation, id)) {}
Correlation::~Correlation() { t_correlation = before_; }
std::string_view Correlation::current() noexcept { return t_correlation; }

void listen(Listener* listener) noexcept {
  g_listener = listener;
  while (g_telling > 0) std::this_thread::yield();
}

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  const auto at = spdlog_level(level);
  if (!logger().should_log(at)) return;
  g_lines[static_cast<std::size_t>(level)].fetch_add(1, std::memory_order_relaxed);
  static const bool terminal = ::isatty(STDERR_FILENO) == 1;
  const TimePoint now = WallClock().now();
  logger().log(at, terminal ? as_text(level, message, fields) : as_json(now, level, message, fields));
  ++g_telling;
  if (Listener* listener = g_listener.load(); listener != nullptr)
    listener->hear({level, role_name(), message, t_correlation, {fields.begin(), fields.size()}, now});
  --g_telling;
}

}  // namespace rltune::log
