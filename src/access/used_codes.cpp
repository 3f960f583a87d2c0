#include "rltune/access/used_codes.hpp"

#include <SQLiteCpp/VariadicBind.h>

#include <mutex>

#include "store.hpp"

namespace rltune::access {
namespace {

constexpr Store::Schema kCodes{.tables = R"(
CREATE TABLE IF NOT EXISTS codes (
  account TEXT PRIMARY KEY,
  step    INTEGER NOT NULL
) STRICT;
)",
                               .format = 1,
                               .when_lost = "codes of the last 90 s could be shown once more"};

}  // namespace

struct UsedCodes::State {
  explicit State(Store opened) : store(std::move(opened)) {}

  std::mutex mutex;
  Store store;
};

UsedCodes::UsedCodes(std::unique_ptr<State> state) : state_(std::move(state)) {}
UsedCodes::UsedCodes(UsedCodes&&) noexcept = default;
UsedCodes::~UsedCodes() = default;

Result<UsedCodes> UsedCodes::open(const std::filesystem::path& file) {
  auto store = Store::open(file, sqlite::Sharing::processes, kCodes);
  if (!store) return std::unexpected(store.error());
  return UsedCodes(std::make_unique<State>(std::move(*store)));
}

Result<bool> UsedCodes::take(const std::string& account, std::uint64_t step) {
  int taken = 0;
  const std::scoped_lock lock(state_->mutex);
  const auto written = state_->store.write([&](SQLite::Database& database) {
    SQLite::Statement upsert(database,
                             "INSERT INTO codes VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET step = excluded.step "
                             "WHERE excluded.step > codes.step");
    SQLite::bind(upsert, account, static_cast<std::int64_t>(step));
    taken = upsert.exec();
  });
  if (!written) return std::unexpected(written.error());
  return taken > 0;
}

}  // namespace rltune::access
