#include "rltune/backup/progress.hpp"

#include <format>
#include <nlohmann/json.hpp>

#include "rltune/base/file.hpp"
#include "rltune/base/log.hpp"

namespace rltune::backup {
namespace {

using nlohmann::ordered_json;

constexpr auto kEvery = std::chrono::milliseconds(500);

}  // namespace

Result<> write_progress(const std::filesystem::path& file, const Progress& progress) {
  const ordered_json object{
      {"stage", progress.stage},   {"bytes", progress.bytes},     {"bytes_total", progress.bytes_total},
      {"backup", progress.backup}, {"trouble", progress.trouble}, {"faults", progress.faults},
      {"notes", progress.notes}};
  return write_file(file, object.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

Result<Progress> read_progress(const std::filesystem::path& file) {
  const auto text = read_file(file);
  if (!text) return std::unexpected(text.error());
  try {
    const auto object = ordered_json::parse(*text);
    return Progress{.stage = object.at("stage"),
                    .bytes = object.at("bytes"),
                    .bytes_total = object.at("bytes_total"),
                    .backup = object.at("backup"),
                    .trouble = object.at("trouble"),
                    .faults = object.at("faults"),
                    .notes = object.at("notes")};
  } catch (const ordered_json::exception& error) {
    return fail(Errc::parse, std::format("{}: {}", file.string(), error.what()));
  }
}

void ProgressFile::operator()(const Progress& progress) {
  const Duration now = clock_.steady();
  if (progress.stage == stage_ && now - written_ < kEvery) return;
  stage_ = progress.stage;
  written_ = now;
  if (const auto done = write_progress(file_, progress); !done)
    log::warning("how far the backup is cannot be told", {{"reason", done.error().message}});
}

}  // namespace rltune::backup
