#include "state_journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <format>
#include <optional>
#include <utility>

#include "rltune/base/file.hpp"

namespace rltune::twin {
namespace {

constexpr std::string_view kSchema = "rltune/twin-state/v1";

std::string title_line(const std::string& title) { return std::format("{} {}", kSchema, title); }

Error os_error(const std::filesystem::path& file, const char* what) {
  const int code = errno;
  return {code == ENOSPC ? Errc::no_space : Errc::io,
          std::format("{}: cannot {}: {}", file.string(), what, std::strerror(code))};
}

std::string_view next_field(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view field = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return field;
}

template <typename T>
std::optional<T> number(std::string_view field) {
  T value{};
  const auto parsed = std::from_chars(field.data(), field.data() + field.size(), value);
  if (field.empty() || parsed.ec != std::errc() || parsed.ptr != field.data() + field.size()) return std::nullopt;
  return value;
}

// One line after the title. False: it does not follow the format.
bool parse_record(std::string_view line, std::size_t outputs, StateJournal::Contents& contents) {
  const std::string_view kind = next_field(line);
  if (kind == "mode") {
    const auto output = number<std::size_t>(next_field(line));
    const auto mode = number<std::uint32_t>(next_field(line));
    if (!output || *output >= outputs || !mode || !line.empty()) return false;
    contents.modes.push_back({contents.steps.size(), *output, *mode});
    return true;
  }
  if (kind != "step" || number<std::size_t>(next_field(line)) != contents.steps.size() + 1) return false;
  StepRecord record;
  for (std::size_t i = 0; i < outputs; ++i) {
    const auto input = number<double>(next_field(line));
    if (!input) return false;
    record.inputs.push_back(*input);
  }
  const auto season_return = number<double>(next_field(line));
  if (!season_return || !line.empty()) return false;
  record.season_return = *season_return;
  contents.steps.push_back(std::move(record));
  return true;
}

std::string_view whole_lines(std::string_view text) { return text.substr(0, text.rfind('\n') + 1); }

}  // namespace

Result<StateJournal::Contents> parse_journal(std::string_view text, const std::string& name, const std::string& title,
                                             std::size_t outputs) {
  StateJournal::Contents contents;
  text = whole_lines(text);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (number == 1 && line != title_line(title))
      return fail(Errc::mismatch,
                  std::format("{} is of another season ('{}', not '{}'); give another --state or remove it", name,
                              line.substr(0, 200), title_line(title)));
    if (number > 1 && !parse_record(line, outputs, contents))
      return fail(Errc::corrupt,
                  std::format("{}:{}: not a record; remove the file to start the season anew", name, number));
  }
  return contents;
}

Result<StateJournal> StateJournal::open(const std::filesystem::path& file, const std::string& title,
                                        std::size_t outputs, std::size_t sync_every) {
  std::error_code ignored;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), ignored);
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor < 0) return std::unexpected(os_error(file, "open"));
  StateJournal journal(descriptor, file, sync_every);
  auto text = read_file(file);
  if (!text) return std::unexpected(text.error());
  auto contents = parse_journal(*text, file.string(), title, outputs);
  if (!contents) return std::unexpected(contents.error());
  journal.contents_ = std::move(*contents);
  journal.steps_ = journal.contents_.steps.size();
  const std::size_t whole = whole_lines(*text).size();
  if (::ftruncate(descriptor, static_cast<off_t>(whole)) != 0) return std::unexpected(os_error(file, "cut"));
  if (whole == 0)
    if (auto begun = journal.append(title_line(title) + "\n", true); !begun) return std::unexpected(begun.error());
  return journal;
}

StateJournal::StateJournal(StateJournal&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      file_(std::move(other.file_)),
      sync_every_(other.sync_every_),
      steps_(other.steps_),
      contents_(std::move(other.contents_)) {}

StateJournal::~StateJournal() {
  if (descriptor_ < 0) return;
  ::fdatasync(descriptor_);
  ::close(descriptor_);
}

Result<> StateJournal::append(const std::string& line, bool sync) {
  // One write a line: a crash leaves whole lines and at most one part.
  if (::write(descriptor_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    return std::unexpected(os_error(file_, "write"));
  if (sync && ::fdatasync(descriptor_) != 0) return std::unexpected(os_error(file_, "sync"));
  return {};
}

Result<> StateJournal::append_step(std::span<const double> inputs, double season_return) {
  std::string line = std::format("step {}", ++steps_);
  for (const double input : inputs) line += std::format(" {}", input);
  line += std::format(" {}\n", season_return);
  return append(line, sync_every_ > 0 && steps_ % sync_every_ == 0);
}

Result<> StateJournal::append_mode(std::size_t output, std::uint32_t mode) {
  return append(std::format("mode {} {}\n", output, mode), true);
}

}  // namespace rltune::twin
