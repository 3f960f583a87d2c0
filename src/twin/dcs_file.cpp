#include "dcs_file.hpp"

#include <format>

#include "rltune/base/file.hpp"

namespace rltune::twin {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace

Result<std::vector<ModeSetting>> parse_dcs(std::string_view text) {
  std::vector<ModeSetting> settings;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, std::min(end, text.find('#'))));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    const std::size_t separator = line.find_first_of(":=");
    const std::string_view value = separator == std::string_view::npos ? "" : trimmed(line.substr(separator + 1));
    if (value != "0" && value != "1")
      return fail(Errc::parse, std::format("line {}: write TAG: 0 (local) or TAG: 1 (remote), not '{}'", number, line));
    settings.push_back({std::string(trimmed(line.substr(0, separator))), value == "1" ? 1U : 0U});
  }
  return settings;
}

Result<std::vector<ModeSetting>> DcsFile::changes() {
  std::error_code missing;
  const auto written = std::filesystem::last_write_time(path_, missing);
  if (missing || written == seen_) return std::vector<ModeSetting>{};
  auto text = read_file(path_);
  if (!text) return std::unexpected(text.error());
  seen_ = written;
  if (*text == text_) return std::vector<ModeSetting>{};
  text_ = std::move(*text);
  auto settings = parse_dcs(text_);
  if (!settings) return fail(settings.error().code, path_.string() + ": " + settings.error().message);
  return settings;
}

}  // namespace rltune::twin
