#include "dead_letters.hpp"

#include <algorithm>
#include <format>

#include "json_text.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/log.hpp"

namespace rltune::forward {
namespace {

std::string lines_of(const Batch& batch, const Outcome& outcome, TimePoint now) {
  const std::string begin = std::format(R"({{"time":"{}","batch":{},)", format_rfc3339(now), as_json(batch.id()));
  std::string lines;
  for (const RecordFault& fault : outcome.refused) {
    const auto record = std::ranges::find(batch.records, fault.sequence, &Record::sequence);
    if (record == batch.records.end()) continue;
    lines += std::format("{}\"id\":{},\"reason\":{},\"entry\":{}}}\n", begin, as_json(record->id),
                         as_json(fault.reason), is_object(record->entry) ? record->entry : as_json(record->entry));
  }
  if (outcome.refused_unnamed > 0)
    lines += std::format("{}\"refused\":{},\"reason\":{}}}\n", begin, outcome.refused_unnamed, as_json(outcome.reason));
  return lines;
}

}  // namespace

DeadLetters::DeadLetters(const std::filesystem::path& folder, std::uint64_t bytes_max)
    : file_(folder / "dead-letters.ndjson"), bytes_max_(bytes_max) {}

Result<> DeadLetters::add(const Batch& batch, const Outcome& outcome, TimePoint now) {
  const std::string lines = lines_of(batch, outcome, now);
  if (lines.empty()) return {};
  if (!open_)
    if (auto opened = open(); !opened) return opened;
  if (open_->size() > 0 && open_->size() + lines.size() > bytes_max_ / 2)
    if (auto rotated = rotate(); !rotated) return rotated;
  auto added = open_->add(lines);
  if (!added) open_.reset();
  return added;
}

Result<> DeadLetters::rotate() {
  const std::filesystem::path before = file_.string() + ".1";
  if (const auto old = read_file(before)) {
    const auto gone = static_cast<std::uint64_t>(std::ranges::count(*old, '\n'));
    dropped_ += gone;
    log::warning("dead letters found no room any more", {{"file", before.string()}, {"gone", std::to_string(gone)}});
  }
  open_.reset();
  std::error_code code;
  std::filesystem::rename(file_, before, code);
  if (code) return fail(Errc::io, std::format("cannot rename {}: {}", file_.string(), code.message()));
  return open();
}

// A line that a crash cut short goes: its record was not let go yet, and comes again.
Result<> DeadLetters::open() {
  auto opened = AppendFile::open(file_);
  if (!opened) return std::unexpected(opened.error());
  const std::string text = read_file(file_).value_or("");
  const std::size_t whole = text.rfind('\n') + 1;  // 0 where there is none
  if (whole < text.size())
    if (auto cut = opened->cut(whole); !cut) return cut;
  open_ = std::move(*opened);
  return {};
}

}  // namespace rltune::forward
