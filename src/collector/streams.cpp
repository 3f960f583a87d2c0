#include "streams.hpp"

#include <algorithm>
#include <format>

#include "rltune/base/file.hpp"
#include "rltune/base/id.hpp"
#include "rltune/base/log.hpp"

namespace rltune::collector {
namespace {

Result<std::string> source_of(const std::filesystem::path& folder, const Clock& clock) {
  const auto file = folder / "source";
  if (auto known = read_file(file); known && known->size() == 36) return known;
  std::string id = make_id(clock.now());
  if (auto done = write_file(file, id); !done) return std::unexpected(done.error());
  return id;
}

// Of a disk that is smaller than ten times what is to stay free: a tenth of it.
std::uint64_t free_bytes_min(const std::filesystem::path& folder, const config::Collect& collect) {
  std::error_code code;
  const auto space = std::filesystem::space(folder, code);
  const auto wanted = static_cast<std::uint64_t>(collect.free_min_gb * 1e9);
  return code ? wanted : std::min<std::uint64_t>(wanted, space.capacity / 10);
}

void tell(const std::string& stream, const telemetry::Recovery& found) {
  std::uint64_t lost = 0;
  for (const auto& range : found.lost) lost += range.count();
  if (lost > 0)
    log::error(
        "records are gone from the disk",
        {{"stream", stream}, {"records", std::to_string(lost)}, {"first", std::to_string(found.lost.front().first)}});
  for (const std::string& file : found.damaged)
    log::error("a file of the buffer is damaged and stays as it is", {{"stream", stream}, {"file", file}});
  if (found.watermark_gone)
    log::error("the watermark of the buffer is gone: what is lost at its end is not known", {{"stream", stream}});
}

std::function<void(const telemetry::Commit&)> counting(const std::string& stream, metrics::Registry& registry,
                                                       const Streams::Committed& committed) {
  const metrics::Labels labels{{"stream", stream}};
  auto& records = registry.counter("rltune_role_telemetry_records_total", "Records made durable", labels);
  auto& bytes = registry.counter("rltune_role_telemetry_bytes_total", "Bytes of records made durable", labels);
  auto& failed = registry.counter("rltune_role_telemetry_commits_failed_total", "Commits that no disk took", labels);
  auto& seconds = registry.histogram("rltune_role_telemetry_commit_seconds", "Time until a commit was durable", labels);
  return [&records, &bytes, &failed, &seconds, stream, committed](const telemetry::Commit& commit) {
    seconds.observe(std::chrono::duration<double>(commit.took).count());
    if (!commit.is_durable) return failed.add();
    records.add(static_cast<double>(commit.records));
    bytes.add(static_cast<double>(commit.bytes));
    committed(stream);
  };
}

// What goes unsent is never silent.
std::function<void(const telemetry::Removed&)> telling(const std::string& stream) {
  return [stream](const telemetry::Removed& removed) {
    if (removed.unsent)
      log::error("retention removed records that not every sink had taken",
                 {{"stream", stream},
                  {"records", std::to_string(removed.unsent->count())},
                  {"first", std::to_string(removed.unsent->first)},
                  {"last", std::to_string(removed.unsent->last)}});
    else
      log::info("retention removed records", {{"stream", stream}, {"records", std::to_string(removed.all.count())}});
  };
}

Result<std::unique_ptr<telemetry::Intake>> open_stream(const std::filesystem::path& folder, const std::string& stream,
                                                       const config::Collect& collect, const Clock& clock,
                                                       metrics::Registry& registry,
                                                       const Streams::Committed& committed) {
  auto storage = telemetry::open_folder(folder / stream);
  if (!storage) return std::unexpected(storage.error());
  auto buffer =
      telemetry::Buffer::open(std::move(*storage), clock, {.free_bytes_min = free_bytes_min(folder, collect)});
  if (!buffer) return std::unexpected(buffer.error());
  tell(stream, buffer->recovery());
  return std::make_unique<telemetry::Intake>(
      std::move(*buffer),
      telemetry::IntakeOptions{.on_commit = counting(stream, registry, committed), .on_removed = telling(stream)});
}

}  // namespace

Result<Streams> Streams::open(const std::filesystem::path& folder, const config::Collect& collect, const Clock& clock,
                              metrics::Registry& registry, const Committed& committed) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  Streams streams;
  auto source = source_of(folder, clock);
  if (!source) return std::unexpected(source.error());
  streams.source_ = std::move(*source);
  auto logs = open_stream(folder, "logs", collect, clock, registry, committed);
  if (!logs) return std::unexpected(logs.error());
  streams.logs_ = std::move(*logs);
  auto metrics = open_stream(folder, "metrics", collect, clock, registry, committed);
  if (!metrics) return std::unexpected(metrics.error());
  streams.metrics_ = std::move(*metrics);
  return streams;
}

}  // namespace rltune::collector
