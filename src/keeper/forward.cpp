#include "forward.hpp"

#include <poll.h>
#include <unistd.h>

#include <climits>
#include <nlohmann/json.hpp>

#include "rltune/base/clock.hpp"

namespace rltune::keeper {
namespace {

using nlohmann::ordered_json;

bool is_log_line(const ordered_json& value) {
  return value.is_object() && value.contains("message") && value["message"].is_string() && value.contains("role");
}

std::string text_of(const ordered_json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

}  // namespace

Forward::Forward(int descriptor) : descriptor_(descriptor), terminal_(::isatty(descriptor) == 1) {}

std::string readable(std::string_view json_line) {
  const ordered_json line = ordered_json::parse(json_line, nullptr, false);
  if (!is_log_line(line)) return {};
  std::string text = text_of(line["role"]) + ": ";
  if (const std::string level = text_of(line.value("level", ordered_json("INFO"))); level != "INFO")
    text += level + ": ";
  text += text_of(line["message"]);
  for (const auto& [name, value] : line.items())
    if (name != "time" && name != "level" && name != "role" && name != "message")
      text += " " + name + "=" + text_of(value);
  return text;
}

void Forward::line(std::string_view role, std::string_view text) {
  if (text.empty()) return;
  const std::string plain = text.front() == '{' ? readable(text) : std::string();
  if (plain.empty()) return emit(role, "INFO", text);
  write(terminal_ ? plain + "\n" : std::string(text) + "\n");
}

void Forward::say(std::string_view level, std::string_view message) {
  if (const auto parsed = log::parse_level(level); parsed && *parsed >= level_) emit("keeper", level, message);
}

void Forward::emit(std::string_view role, std::string_view level, std::string_view message) {
  if (terminal_) {
    write(std::string(role) + ": " + (level == "INFO" ? "" : std::string(level) + ": ") + std::string(message) + "\n");
    return;
  }
  ordered_json line;
  line["time"] = format_rfc3339(WallClock().now());
  line["level"] = std::string(level);
  line["role"] = std::string(role);
  line["message"] = std::string(message);
  write(line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

// A pipe that poll() calls writable takes PIPE_BUF bytes without blocking.
void Forward::write(const std::string& bytes) {
  std::string_view rest = bytes;
  while (!rest.empty()) {
    pollfd ready{descriptor_, POLLOUT, 0};
    if (::poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) break;
    const ssize_t count = ::write(descriptor_, rest.data(), std::min<std::size_t>(rest.size(), PIPE_BUF));
    if (count <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  if (!rest.empty()) ++lost_;
}

}  // namespace rltune::keeper
