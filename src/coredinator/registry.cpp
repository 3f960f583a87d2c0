#include "registry.hpp"

#include <SQLiteCpp/VariadicBind.h>
#include <sqlite3.h>

#include <algorithm>
#include <format>
#include <sstream>

#include "rltune/base/damage.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/log.hpp"
#include "rltune/sqlite/sqlite.hpp"
#include "rltune/vault/vault.hpp"

namespace rltune::coredinator {
namespace {

using sqlite::guarded;
using sqlite::to_nanoseconds;
using sqlite::to_time;

constexpr std::uint64_t kWalBytesMax = 1U << 20U;

std::filesystem::path copy_of(const std::filesystem::path& file) { return file.string() + ".copy"; }

constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS agents (
  id      TEXT PRIMARY KEY,
  running INTEGER NOT NULL CHECK (running IN (0, 1)),
  epoch   INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS versions (
  agent    TEXT NOT NULL REFERENCES agents(id),
  version  TEXT NOT NULL,
  artifact TEXT NOT NULL,
  state    TEXT NOT NULL CHECK (state IN ('staged', 'validating', 'shadow', 'canary', 'active', 'standby', 'retired',
                                          'rolled_back')),
  reason   TEXT NOT NULL,
  step     INTEGER NOT NULL,
  paused   INTEGER NOT NULL CHECK (paused IN (0, 1)),
  traffic  TEXT NOT NULL,
  created  INTEGER NOT NULL,
  changed  INTEGER NOT NULL,
  PRIMARY KEY (agent, version)
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS one_active  ON versions(agent) WHERE state = 'active';
CREATE UNIQUE INDEX IF NOT EXISTS one_standby ON versions(agent) WHERE state = 'standby';
CREATE UNIQUE INDEX IF NOT EXISTS one_in_test ON versions(agent) WHERE state IN ('validating', 'shadow', 'canary');
CREATE TABLE IF NOT EXISTS history (
  number  INTEGER PRIMARY KEY AUTOINCREMENT,
  agent   TEXT NOT NULL,
  version TEXT NOT NULL,
  "from"  TEXT NOT NULL,
  "to"    TEXT NOT NULL,
  epoch   INTEGER NOT NULL,
  time    INTEGER NOT NULL,
  user    TEXT NOT NULL,
  reason  TEXT NOT NULL
) STRICT;
)";

std::string text_of(const Traffic& traffic) {
  std::string text = std::format("{} {} {} {} {}", traffic.shadow_s, traffic.shadow_proposals, traffic.canary_s,
                                 traffic.probation_s, traffic.hold ? 1 : 0);
  text += std::format(" {} {} {} {}", traffic.evaluation_seasons, traffic.latency_max_s, traffic.memory_max_mib,
                      traffic.objective_drop ? std::format("{}", *traffic.objective_drop) : "-");
  for (const double percent : traffic.canary_percent) text += std::format(" {}", percent);
  return text;
}

Traffic traffic_of(const std::string& text) {
  Traffic traffic;
  std::istringstream words(text);
  words >> traffic.shadow_s >> traffic.shadow_proposals >> traffic.canary_s >> traffic.probation_s >> traffic.hold;
  std::string drop;
  words >> traffic.evaluation_seasons >> traffic.latency_max_s >> traffic.memory_max_mib >> drop;
  if (drop != "-") traffic.objective_drop = std::strtod(drop.c_str(), nullptr);
  traffic.canary_percent.clear();
  for (double percent = 0.0; words >> percent;) traffic.canary_percent.push_back(percent);
  return traffic;
}

bool is_person(const std::string& user) { return user != kNobody; }

// What a person said is bound to what was done then.
vault::Place place_of(const HistoryEntry& entry, std::string_view column) {
  return {"history", column,
          std::format("{}\n{}\n{}\n{}\n{}\n{}", entry.agent, entry.version, entry.from, entry.to, entry.epoch,
                      to_nanoseconds(entry.time))};
}

vault::Place place_of(const std::string& agent, const std::string& version, TimePoint changed) {
  return {"versions", "reason", std::format("{}\n{}\n{}", agent, version, to_nanoseconds(changed))};
}

}  // namespace

struct Registry::State {
  std::filesystem::path file;
  const Clock& clock;
  vault::Vault vault;
  sqlite::Connection database;

  template <std::invocable Work>
  auto in_transaction(Work work) -> Result<> {
    Result<> done;
    auto ran = guarded(file, [&] {
      SQLite::Transaction transaction(*database, SQLite::TransactionBehavior::IMMEDIATE);
      try {
        done = work();
      } catch (const SQLite::Exception& exception) {
        if (exception.getErrorCode() != SQLITE_CONSTRAINT) throw;
        done = fail(Errc::mismatch, std::format("the registry forbids it: {}", exception.what()));
      }
      if (done) transaction.commit();
    });
    if (!ran) return std::unexpected(ran.error());
    if (done) keep_copy();
    return done;
  }

  // As of now, for when the disk damages the file. A kill before it leaves the copy of the change before.
  void keep_copy() const noexcept {
    sqlite3_int64 size = 0;
    const std::unique_ptr<unsigned char, decltype(&sqlite3_free)> bytes(
        sqlite3_serialize(database->getHandle(), "main", &size, 0), &sqlite3_free);
    const Result<> copied =
        bytes == nullptr
            ? fail(Errc::io, "it cannot be read as a whole")
            : write_file(copy_of(file), {reinterpret_cast<const char*>(bytes.get()), static_cast<std::size_t>(size)});
    if (!copied) log::warning("no copy of the registry could be kept", {{"because", copied.error().message}});
  }

  AgentRecord load(const std::string& id) {
    AgentRecord record{.id = id, .versions = {}};
    SQLite::Statement agent(*database, "SELECT running, epoch FROM agents WHERE id = ?");
    agent.bind(1, id);
    if (agent.executeStep()) {
      record.running = agent.getColumn(0).getInt() != 0;
      record.epoch = static_cast<std::uint64_t>(agent.getColumn(1).getInt64());
    }
    SQLite::Statement versions(*database,
                               "SELECT version, artifact, state, reason, step, paused, traffic, created, changed "
                               "FROM versions WHERE agent = ? ORDER BY created, rowid");
    versions.bind(1, id);
    while (versions.executeStep()) {
      Version version;
      version.version = versions.getColumn(0).getString();
      version.artifact_sha256 = versions.getColumn(1).getString();
      version.state = parse_state(versions.getColumn(2).getString()).value_or(VersionState::retired);
      version.step = static_cast<std::uint32_t>(versions.getColumn(4).getInt());
      version.paused = versions.getColumn(5).getInt() != 0;
      version.traffic = traffic_of(versions.getColumn(6).getString());
      version.created = to_time(versions.getColumn(7).getInt64());
      version.changed = to_time(versions.getColumn(8).getInt64());
      version.reason = vault.show(versions.getColumn(3).getString(), place_of(id, version.version, version.changed));
      record.versions.push_back(std::move(version));
    }
    return record;
  }

  std::vector<std::string> ids() {
    std::vector<std::string> ids;
    SQLite::Statement statement(*database, "SELECT id FROM agents ORDER BY id");
    while (statement.executeStep()) ids.push_back(statement.getColumn(0).getString());
    return ids;
  }

  Result<> known(const std::string& agent) {
    const auto all = ids();
    if (std::ranges::find(all, agent) != all.end()) return {};
    std::string names;
    for (const std::string& id : all) names += (names.empty() ? "" : ", ") + id;
    return fail(Errc::not_found, std::format("no agent '{}'; there are {}", agent, names));
  }

  void note(const HistoryEntry& entry) {
    SQLite::Statement insert(*database,
                             "INSERT INTO history (agent, version, \"from\", \"to\", epoch, time, user, reason) "
                             "VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    const auto kept = [&](const std::string& words, const char* column) {
      return is_person(entry.user) ? vault.put(words, place_of(entry, column)) : words;
    };
    SQLite::bind(insert, entry.agent, entry.version, entry.from, entry.to, static_cast<std::int64_t>(entry.epoch),
                 to_nanoseconds(entry.time), kept(entry.user, "user"), kept(entry.reason, "reason"));
    insert.exec();
  }

  void insert(const std::string& agent, const Version& version, const Author& author) {
    const TimePoint now = clock.now();
    SQLite::Statement statement(*database, "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?)");
    const std::string reason =
        is_person(author.user) ? vault.put(version.reason, place_of(agent, version.version, now)) : version.reason;
    SQLite::bind(statement, agent, version.version, version.artifact_sha256, to_string(version.state), reason,
                 static_cast<std::int64_t>(version.step), text_of(version.traffic), to_nanoseconds(now),
                 to_nanoseconds(now));
    statement.exec();
    note({agent, version.version, "", to_string(version.state), load(agent).epoch, now, author.user, author.reason});
  }

  // Two versions may change places: neither stands in the other's way.
  void leave_place(const std::string& agent, const std::string& version) const {
    SQLite::Statement update(*database, "UPDATE versions SET state = 'staged' WHERE agent = ? AND version = ?");
    SQLite::bind(update, agent, version);
    update.exec();
  }

  Result<> move(const AgentRecord& before, const Transition& transition, std::uint64_t epoch, const Author& author) {
    const Version* version = before.find(transition.version);
    if (version == nullptr) return fail(Errc::not_found, no_version(before, transition.version));
    const TimePoint now = clock.now();
    SQLite::Statement update(*database,
                             "UPDATE versions SET state = ?, reason = ?, step = ?, changed = ?, paused = 0 "
                             "WHERE agent = ? AND version = ?");
    SQLite::bind(update, to_string(transition.to), transition.reason, static_cast<std::int64_t>(transition.step),
                 to_nanoseconds(now), before.id, transition.version);
    update.exec();
    const std::string reason = author.reason.empty()       ? transition.reason
                               : transition.reason.empty() ? author.reason
                                                           : transition.reason + ": " + author.reason;
    note({before.id, transition.version, to_string(version->state), to_string(transition.to), epoch, now, author.user,
          reason});
    return {};
  }

  static std::string no_version(const AgentRecord& agent, const std::string& version) {
    std::string names;
    for (const Version& one : agent.versions) names += (names.empty() ? "" : ", ") + one.version;
    return std::format("agent {} has no version '{}'; there are {}", agent.id, version, names);
  }
};

Result<Registry> Registry::open(const std::filesystem::path& file, const Clock& clock) {
  std::error_code code;
  std::filesystem::create_directories(file.parent_path(), code);
  auto state = std::make_unique<State>(State{file, clock, vault::Vault::beside(file), nullptr});
  std::string damage;
  auto opened = guarded(file, [&] {
    state->database = sqlite::open_writer(file, kWalBytesMax);
    state->database->exec("PRAGMA foreign_keys = ON");
    sqlite::create_tables(*state->database, kSchema);
    damage = sqlite::damage_of(*state->database, sqlite::Scrutiny::thorough);
  });
  if (!opened) return std::unexpected(opened.error());
  if (!damage.empty()) return fail(Errc::corrupt, std::format("{} is damaged ({})", file.string(), damage));
  return Registry(std::move(state));
}

Result<Registry> Registry::recover(const std::filesystem::path& file, const Clock& clock) {
  const auto copy = read_file(copy_of(file));
  std::string why;
  {
    auto registry = open(file, clock);
    if (!registry && registry.error().code != Errc::corrupt) return registry;
    if (!registry) {
      why = registry.error().message;
    } else {
      const auto known = registry->agents();
      if (!copy || !known || !known->empty()) return registry;
      why = "it is empty, and its copy is not";
    }
  }
  if (auto aside = put_aside(
          file, why,
          copy ? "its copy of the last change takes its place" : "it begins anew: the site's own policies act");
      !aside)
    return std::unexpected(aside.error());
  if (copy)
    if (auto written = write_file(file, *copy); !written) return std::unexpected(written.error());
  auto again = open(file, clock);
  if (again || again.error().code != Errc::corrupt) return again;
  if (auto aside = put_aside(file, again.error().message,
                             "the copy is damaged too, and it begins anew: the site's own policies act");
      !aside)
    return std::unexpected(aside.error());
  return open(file, clock);
}

Registry::Registry(std::unique_ptr<State> state) : state_(std::move(state)) {}
Registry::Registry(Registry&&) noexcept = default;
Registry::~Registry() = default;

Result<> Registry::may_record() const { return state_->vault.allows(); }

Result<> Registry::introduce(const std::string& agent) {
  return state_->in_transaction([&]() -> Result<> {
    SQLite::Statement insert(*state_->database, "INSERT OR IGNORE INTO agents VALUES (?, 1, 0)");
    insert.bind(1, agent);
    if (insert.exec() == 0) return {};
    Version first;
    first.version = kFirstVersion;
    first.state = VersionState::active;
    first.reason = "the site's own policy";
    state_->insert(agent, first, {kNobody, first.reason});
    return {};
  });
}

Result<AgentRecord> Registry::agent(const std::string& id) const {
  AgentRecord record;
  Result<> known;
  auto read = guarded(state_->file, [&] {
    known = state_->known(id);
    if (known) record = state_->load(id);
  });
  if (!read) return std::unexpected(read.error());
  if (!known) return std::unexpected(known.error());
  return record;
}

Result<std::vector<AgentRecord>> Registry::agents() const {
  return guarded(state_->file, [&] {
    std::vector<AgentRecord> records;
    for (const std::string& id : state_->ids()) records.push_back(state_->load(id));
    return records;
  });
}

Result<std::vector<HistoryEntry>> Registry::history(const std::string& agent, std::size_t limit) const {
  return guarded(state_->file, [&] {
    std::vector<HistoryEntry> entries;
    SQLite::Statement rows(*state_->database,
                           "SELECT version, \"from\", \"to\", epoch, time, user, reason FROM history WHERE agent = ? "
                           "ORDER BY number DESC LIMIT ?");
    SQLite::bind(rows, agent, static_cast<std::int64_t>(limit));
    while (rows.executeStep()) {
      HistoryEntry entry{.agent = agent,
                         .version = rows.getColumn(0).getString(),
                         .from = rows.getColumn(1).getString(),
                         .to = rows.getColumn(2).getString(),
                         .epoch = static_cast<std::uint64_t>(rows.getColumn(3).getInt64()),
                         .time = to_time(rows.getColumn(4).getInt64()),
                         .user = rows.getColumn(5).getString(),
                         .reason = rows.getColumn(6).getString()};
      entry.user = state_->vault.show(entry.user, place_of(entry, "user"));
      entry.reason = state_->vault.show(entry.reason, place_of(entry, "reason"));
      entries.push_back(std::move(entry));
    }
    return entries;
  });
}

Result<> Registry::add(const std::string& agent, const Version& version, const Author& author) {
  if (!is_semantic(version.version))
    return fail(Errc::invalid_argument,
                std::format("'{}' is not a semantic version; want one like 1.2.0", version.version));
  return state_->in_transaction([&]() -> Result<> {
    if (auto known = state_->known(agent); !known) return known;
    if (state_->load(agent).find(version.version) != nullptr)
      return fail(
          Errc::invalid_argument,
          std::format("agent {} has a version {} already; give the new one another number", agent, version.version));
    state_->insert(agent, version, author);
    return {};
  });
}

Result<> Registry::commit(const std::string& agent, std::span<const Transition> transitions, const Author& author) {
  return state_->in_transaction([&]() -> Result<> {
    if (auto known = state_->known(agent); !known) return known;
    const AgentRecord before = state_->load(agent);
    const bool switches = std::ranges::any_of(
        transitions, [](const Transition& transition) { return transition.to == VersionState::active; });
    const std::uint64_t epoch = before.epoch + (switches ? 1 : 0);
    SQLite::Statement update(*state_->database, "UPDATE agents SET epoch = ? WHERE id = ?");
    SQLite::bind(update, static_cast<std::int64_t>(epoch), agent);
    update.exec();
    for (const Transition& transition : transitions) state_->leave_place(agent, transition.version);
    for (const Transition& transition : transitions)
      if (auto moved = state_->move(before, transition, epoch, author); !moved) return moved;
    if (state_->load(agent).in_state(VersionState::active) == nullptr)
      return fail(Errc::mismatch, std::format("agent {} would have no active version", agent));
    return {};
  });
}

Result<> Registry::set_running(const std::string& agent, bool running, const Author& author) {
  return state_->in_transaction([&]() -> Result<> {
    if (auto known = state_->known(agent); !known) return known;
    const AgentRecord before = state_->load(agent);
    if (before.running == running) return {};
    SQLite::Statement update(*state_->database, "UPDATE agents SET running = ? WHERE id = ?");
    SQLite::bind(update, running ? 1 : 0, agent);
    update.exec();
    const auto word = [](bool runs) { return runs ? "running" : "stopped"; };
    state_->note({agent, "", word(before.running), word(running), before.epoch, state_->clock.now(), author.user,
                  author.reason});
    return {};
  });
}

Result<> Registry::set_paused(const std::string& agent, const std::string& version, bool paused, const Author& author) {
  return state_->in_transaction([&]() -> Result<> {
    if (auto known = state_->known(agent); !known) return known;
    const AgentRecord before = state_->load(agent);
    const Version* found = before.find(version);
    if (found == nullptr) return fail(Errc::not_found, State::no_version(before, version));
    SQLite::Statement update(*state_->database, "UPDATE versions SET paused = ? WHERE agent = ? AND version = ?");
    SQLite::bind(update, paused ? 1 : 0, agent, version);
    update.exec();
    state_->note({agent, version, to_string(found->state), paused ? "paused" : "resumed", before.epoch,
                  state_->clock.now(), author.user, author.reason});
    return {};
  });
}

Result<> Registry::raise_epoch(const std::string& agent, std::uint64_t epoch) {
  return state_->in_transaction([&]() -> Result<> {
    SQLite::Statement update(*state_->database, "UPDATE agents SET epoch = max(epoch, ?) WHERE id = ?");
    SQLite::bind(update, static_cast<std::int64_t>(epoch), agent);
    update.exec();
    return {};
  });
}

}  // namespace rltune::coredinator
