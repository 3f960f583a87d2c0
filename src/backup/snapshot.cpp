#include "snapshot.hpp"

#include <format>
#include <utility>

namespace rltune::backup {
namespace {

constexpr int kBusyTimeoutMs = 5000;

std::unexpected<Error> cannot_copy(const std::filesystem::path& file, const Error& error) {
  return fail(error.code, std::format("{} cannot be copied: {}", file.string(), error.message));
}

}  // namespace

Result<Snapshot> Snapshot::open(const std::filesystem::path& database) {
  auto opened = sqlite::guarded(database, [&] {
    auto connection = sqlite::open_reader(database);
    connection->setBusyTimeout(kBusyTimeoutMs);
    // BEGIN alone takes no snapshot: the first reading does.
    connection->exec("BEGIN");
    connection->execAndGet("SELECT count(*) FROM sqlite_master");
    return connection;
  });
  if (opened) return Snapshot(database, std::move(*opened));
  std::error_code code;
  if (!std::filesystem::exists(database, code)) opened.error().code = Errc::not_found;
  return cannot_copy(database, opened.error());
}

Result<> Snapshot::copy_to(const std::filesystem::path& target) const {
  const auto copied = sqlite::guarded(target, [&] { sqlite::copy_to(*database_, target); });
  return copied ? copied : cannot_copy(path_, copied.error());
}

}  // namespace rltune::backup
