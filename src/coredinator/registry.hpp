// The registry: which versions of each agent there are, which one is active, and what each agent is meant to do. It
// alone says what is true; after a crash everything else is brought back to it.
//
// One SQLite file, every commit synced; a transition is one transaction, and the schema itself forbids two active
// versions of an agent, two in test, two on stand-by. Every transition stays on record with its author and reason.
// What persons said is encrypted as the data folder asks for it (Vault).
// Threads: one.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rltune/base/clock.hpp"
#include "rltune/base/error.hpp"
#include "version.hpp"

namespace rltune::coredinator {

inline constexpr const char* kNobody = "coredinator";  // the author of what no person asked for

struct Author {
  std::string user;    // kNobody where nobody asked
  std::string reason;  // a person's own words
};

struct HistoryEntry {
  std::string agent, version;
  std::string from, to;  // words of VersionState; "running" and "stopped" for an agent itself, whose version is empty
  std::uint64_t epoch = 0;
  TimePoint time{};
  std::string user, reason;
};

class Registry {
 public:
  // Errors: io, no_space, denied; corrupt: the file is damaged.
  static Result<Registry> open(const std::filesystem::path& file, const Clock& clock);
  // As open(); a damaged file is put aside, and the copy that was made after the last change takes its place. Where
  // that is damaged too, or missing, it begins anew.
  static Result<Registry> recover(const std::filesystem::path& file, const Clock& clock);
  ~Registry();
  Registry(Registry&&) noexcept;

  // Whether who orders something, and why, can be put on record. Errors: not_found: the key, and what to do.
  Result<> may_record() const;
  // Knows the agent from now on, with the site's own policy as its active version if it was unknown.
  Result<> introduce(const std::string& agent);
  // Errors: not_found, listing the agents.
  Result<AgentRecord> agent(const std::string& id) const;
  Result<std::vector<AgentRecord>> agents() const;
  // The newest first.
  Result<std::vector<HistoryEntry>> history(const std::string& agent, std::size_t limit) const;

  // A new version, staged. Errors: invalid_argument (not semantic, known already).
  Result<> add(const std::string& agent, const Version& version, const Author& author);
  // All of them or none. The epoch grows where the active version changes. Errors: not_found; mismatch: the schema's
  // rules forbid the outcome.
  Result<> commit(const std::string& agent, std::span<const Transition> transitions, const Author& author);
  Result<> set_running(const std::string& agent, bool running, const Author& author);
  Result<> set_paused(const std::string& agent, const std::string& version, bool paused, const Author& author);
  // At least this: when io knows of a later one than we do.
  Result<> raise_epoch(const std::string& agent, std::uint64_t epoch);

 private:
  struct State;
  explicit Registry(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rltune::coredinator
