#include "store.hpp"

#include <string>

#include "rltune/base/damage.hpp"

namespace rltune::access {

Result<Store> Store::open_as_it_is(const std::filesystem::path& file, sqlite::Sharing sharing, const Schema& schema) {
  sqlite::Connection database;
  std::string damage;
  const auto opened = sqlite::guarded(file, [&] {
    database = sqlite::open_private(file, sharing);
    // Nothing is written where nothing is to be: a full disk keeps nobody from opening one.
    if (sqlite::format_of(*database) != schema.format) sqlite::create_tables(*database, schema.tables, schema.format);
    damage = sqlite::damage_of(*database, sqlite::Scrutiny::thorough);
  });
  if (!opened) return std::unexpected(opened.error());
  if (!damage.empty()) return fail(Errc::corrupt, damage);
  return Store(file, std::move(database));
}

Result<Store> Store::open(const std::filesystem::path& file, sqlite::Sharing sharing, const Schema& schema) {
  auto opened = open_as_it_is(file, sharing, schema);
  if (opened || opened.error().code != Errc::corrupt) return opened;
  if (auto aside = put_aside(file, opened.error().message, schema.when_lost); !aside)
    return std::unexpected(aside.error());
  return open_as_it_is(file, sharing, schema);
}

}  // namespace rltune::access
