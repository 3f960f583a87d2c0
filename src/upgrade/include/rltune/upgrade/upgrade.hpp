// From one version of the product to another and back: unpacked beside what runs, one link switched by rename, each
// running site restarted, and back by itself when a site does not become as healthy as it was.
//
// After a kill -9 at any point the programs are those of before or the new ones, whole; the next apply() or rollback()
// finishes or undoes what was begun. Data are not touched: each version reads what lies there.
// Threads: one.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/upgrade/bundle.hpp"
#include "rltune/upgrade/root.hpp"
#include "rltune/upgrade/site.hpp"

namespace rltune::upgrade {

struct Options {
  std::filesystem::path root = "/opt/rltune";
  std::chrono::milliseconds hold{5000};                  // what writes to the plant has to be healthy again so soon
  std::chrono::milliseconds deadline{90'000};            // of each site, to be as healthy as before
  std::chrono::milliseconds settle{2'000};               // it has to stay so
  bool one_way = false;                                  // also where the data could not go back
  std::string user, reason;                              // for the audit log of each site
  std::function<void(const std::string&)> on_step = {};  // each step, before it is taken
};

struct SiteOutcome {
  std::filesystem::path site;
  bool well = false;
  double held_s = 0.0;  // while io or an agent was not healthy: at most so long were outputs held
  std::string why;      // where it is not well
};

struct Outcome {
  std::string from, to;  // as was wanted
  std::string current;   // as it is
  bool changed = false;  // something was done
  bool undone = false;   // back to `from`
  std::string why;       // of the undo
  std::vector<SiteOutcome> sites;
  bool unit_differs = false;  // systemd has to read the unit again
};

// What stands, without changing anything and without a lock.
struct Standing {
  std::string current, previous;
  std::vector<std::string> versions;
  std::optional<Note> note;
  struct Site {
    RunningSite running;
    SiteState state;
  };
  std::vector<Site> sites;
};
Result<Standing> status(const std::filesystem::path& root);

// A bundle that this host would take: signed, whole, for this machine, with programs that read what its sites have and
// whose data the current ones read. Changes nothing.
Result<Bundle> check(const std::filesystem::path& bundle, const Options& options);

// Errors: those of check(), and what kept it from changing anything. An upgrade that was undone is an Outcome.
Result<Outcome> apply(const std::filesystem::path& bundle, const Options& options);
// To the version before. Errors: not_found (there is none), unsupported (it does not read the data).
Result<Outcome> rollback(const Options& options);
// What a killed command left: nothing where there is none. apply() and rollback() do it first.
Result<std::optional<Outcome>> finish(const Options& options);

}  // namespace rltune::upgrade
