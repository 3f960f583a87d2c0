#include "rltune/upgrade/upgrade.hpp"

#include <algorithm>
#include <format>
#include <thread>

#include "program.hpp"
#include "rltune/audit/log.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/file.hpp"
#include "rltune/config/site.hpp"

namespace rltune::upgrade {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto kLookEvery = 50ms;
constexpr auto kAskAgainAfter = 15s;  // a stop in order takes its time
constexpr auto kGraceOfUndo = 1000ms;
constexpr auto kProbePatience = 20s;
constexpr auto kFirstAnswer = 3s;

// Of the roles that stood well before, those that the plant waits for.
bool controls(const std::string& role) { return !role.starts_with("learner."); }

// A site on its way to a version: ordered to start again where it runs another, until it is as healthy as it was.
class Journey {
 public:
  struct Limits {
    milliseconds deadline{}, hold{}, settle{};
    milliseconds grace{};    // of each role to stop; 0: the keeper's own
    bool by_signal = false;  // also where its coredinator cannot be asked
  };
  Journey(const fs::path& root, const NotedSite& site, const std::string& to, const Limits& limits)
      : root_(root), site_(site), to_(to), limits_(limits), link_(site.run_folder), begun_(clock_.steady()) {}

  SiteOutcome run() {
    SiteOutcome outcome{.site = site_.site};
    while (outcome.why.empty()) {
      take(link_.look());
      if (fell_back()) {
        outcome.why = std::format("{} did not get ready, and {} runs again", to_, seen_.version);
      } else if (well_since_ && now_ - *well_since_ >= limits_.settle) {
        outcome.well = true;
        break;
      } else if (late()) {
        outcome.why = why_not();
      } else {
        if (seen_.answers && seen_.version != to_) order();
        if (!seen_.answers && limits_.by_signal) order_by_signal();
        std::this_thread::sleep_for(kLookEvery);
      }
    }
    if (gone_since_) outcome.held_s = to_seconds(back_since_.value_or(now_) - *gone_since_);
    return outcome;
  }

 private:
  bool healthy(const std::string& role) const {
    const auto found = seen_.roles.find(role);
    return seen_.answers && found != seen_.roles.end() && found->second == "healthy";
  }

  void take(SiteState seen) {
    now_ = clock_.steady();
    seen_ = std::move(seen);
    note_control();
    bool well = seen_.answers && seen_.version == to_;
    std::map<std::string, int> processes;
    for (const std::string& role : site_.healthy) {
      well = well && healthy(role);
      if (well) processes[role] = seen_.processes.at(role);
    }
    // A role that crashes and is started again is another process.
    if (!well || processes != processes_) well_since_.reset();
    processes_ = std::move(processes);
    if (well && !well_since_) well_since_ = now_;
  }

  // Since when nobody wrote to the plant, and since when somebody does again.
  void note_control() {
    const bool controlled = seen_.answers && std::ranges::all_of(site_.healthy, [&](const std::string& role) {
                              return !controls(role) || healthy(role);
                            });
    if (ordered_ && !gone_since_ && !controlled) gone_since_ = now_;
    if (!gone_since_) return;
    if (!controlled)
      back_since_.reset();
    else if (!back_since_)
      back_since_ = now_;
  }

  void order() {
    if (ordered_ && now_ - *ordered_ < kAskAgainAfter) return;
    const auto left = std::chrono::duration_cast<milliseconds>(begun_ + limits_.deadline - now_);
    if (!link_.ask_to_restart(std::format("the programs of {} are current", to_), left, limits_.grace)) return;
    ordered_ = now_;
    process_ = seen_.process;
  }

  void order_by_signal() {
    if (ordered_ && now_ - *ordered_ < kAskAgainAfter) return;
    for (const RunningSite& running : running_sites(root_))
      if (running.run_folder == site_.run_folder && running.version != to_ && signal_to_restart(running))
        ordered_ = now_;
  }

  // The keeper goes back by itself when the new programs do not get ready.
  bool fell_back() const { return process_ != 0 && seen_.answers && seen_.version != to_ && seen_.process != process_; }

  bool late() const {
    if (now_ - begun_ >= limits_.deadline) return true;
    return gone_since_ && !back_since_ && now_ - *gone_since_ >= limits_.hold;
  }

  std::string why_not() const {
    if (!seen_.answers) return "it does not answer";
    if (seen_.version != to_) return std::format("it still runs {}", seen_.version);
    std::string roles;
    for (const std::string& role : site_.healthy) {
      const auto found = seen_.roles.find(role);
      const std::string state = found == seen_.roles.end() ? "missing" : found->second;
      if (state != "healthy") roles += std::format("{}{} is {}", roles.empty() ? "" : ", ", role, state);
    }
    return roles.empty() ? "its roles do not stay healthy" : roles;
  }

  const fs::path& root_;
  const NotedSite& site_;
  const std::string& to_;
  const Limits limits_;
  WallClock clock_;
  SiteLink link_;
  const Duration begun_;
  Duration now_ = begun_;
  SiteState seen_;
  std::optional<Duration> ordered_;
  int process_ = 0;  // coredinator's, when it was ordered
  std::optional<Duration> gone_since_, back_since_, well_since_;
  std::map<std::string, int> processes_;
};

class Work {
 public:
  explicit Work(const Options& options) : options_(options), root_(options.root) {}

  Result<Bundle> check(const fs::path& file) const {
    const auto keys = root_.keys();
    if (!keys) return std::unexpected(keys.error());
    auto bundle = open_bundle(file, *keys);
    if (!bundle) return bundle;
    if (auto whole = verify(*bundle); !whole) return std::unexpected(whole.error());
    if (auto fits = fits_data(bundle->manifest); !fits) return std::unexpected(fits.error());
    return bundle;
  }

  Result<Outcome> apply(const fs::path& file) {
    auto lock = root_.lock();
    if (!lock) return std::unexpected(lock.error());
    if (auto finished = finish_begun(false); !finished) return std::unexpected(finished.error());
    step("check the bundle");
    const auto bundle = check(file);
    if (!bundle) return std::unexpected(bundle.error());
    const std::string& version = bundle->manifest.version;
    if (version == root_.current()) return nothing_to_do(version);
    Note note = begin(Note::Kind::apply, version);
    if (auto ready = make_ready(*bundle, note); !ready) {
      step("clear away what was unpacked");
      [[maybe_unused]] const auto cleared = clear();
      return std::unexpected(ready.error());
    }
    return go(note);
  }

  Result<Outcome> rollback() {
    auto lock = root_.lock();
    if (!lock) return std::unexpected(lock.error());
    auto finished = finish_begun(true);
    if (!finished) return std::unexpected(finished.error());
    if (*finished) return **finished;  // that was the way back
    const std::string to = root_.previous();
    if (!root_.has(to)) return fail(Errc::not_found, "there is no version to go back to; apply its bundle");
    step("check the version of before");
    const auto keys = root_.keys();
    if (!keys) return std::unexpected(keys.error());
    const auto manifest = verify_unpacked(root_.version_folder(to), *keys);
    if (!manifest) return std::unexpected(manifest.error());
    if (auto reads = reads_data(*manifest); !reads) return std::unexpected(reads.error());
    Note note = begin(Note::Kind::rollback, to);
    return go(note);
  }

  Result<std::optional<Outcome>> finish() {
    auto lock = root_.lock();
    if (!lock) return std::unexpected(lock.error());
    return finish_begun(false);
  }

 private:
  void step(const std::string& what) const {
    if (options_.on_step) options_.on_step(what);
  }

  Result<> reads_data(const Manifest& manifest) const {
    for (const RunningSite& site : running_sites(options_.root)) {
      const auto present = formats_of_site(site.site);
      if (!present) return std::unexpected(present.error());
      if (auto reads = can_read(manifest.formats, manifest.version, *present); !reads) return reads;
    }
    return {};
  }

  Result<> fits_data(const Manifest& next) const {
    if (auto reads = reads_data(next); !reads) return reads;
    const std::string current = root_.current();
    if (options_.one_way || current.empty()) return {};
    const auto now = read_manifest(root_.version_folder(current));
    if (!now) return fail(Errc::corrupt, std::format("{} is installed and damaged: {}", current, now.error().message));
    return has_way_back(next.formats, next.version, now->formats, current);
  }

  Result<Outcome> nothing_to_do(const std::string& version) const {
    return Outcome{.from = version, .to = version, .current = version};
  }

  Note begin(Note::Kind kind, const std::string& to) const {
    Note note{.kind = kind, .from = root_.current(), .to = to, .begun = format_rfc3339(WallClock().now())};
    for (const RunningSite& site : running_sites(options_.root))
      note.sites.push_back({site.site, site.run_folder, healthy_roles(site)});
    return note;
  }

  // A site that is just starting may need a moment before it can say.
  static std::vector<std::string> healthy_roles(const RunningSite& site) {
    SiteLink link(site.run_folder);
    const WallClock clock;
    const Duration deadline = clock.steady() + kFirstAnswer;
    SiteState seen = link.look();
    while (!seen.answers && clock.steady() < deadline) {
      std::this_thread::sleep_for(kLookEvery);
      seen = link.look();
    }
    return seen.healthy();
  }

  // --- unpacking

  Result<> make_ready(const Bundle& bundle, const Note& note) {
    step("note that it unpacks");
    if (auto saved = root_.save(note); !saved) return saved;
    if (root_.has(note.to)) return same_as_installed(bundle);
    if (auto removed = root_.remove_unfinished(); !removed) return removed;
    const fs::path folder = root_.unfinished_folder(note.to);
    const auto on_file = [this](const std::string& path) { step("unpack " + path); };
    if (auto unpacked = unpack(bundle, folder, on_file); !unpacked) return unpacked;
    step("try the programs");
    if (auto runs = probe(folder, bundle.manifest); !runs) return runs;
    step("put the version in its place");
    return root_.place(note.to);
  }

  Result<> same_as_installed(const Bundle& bundle) const {
    const fs::path folder = root_.version_folder(bundle.manifest.version);
    if (read_file(folder / "manifest.json") != bundle.manifest_bytes)
      return fail(Errc::mismatch, std::format("{} is installed already, from another bundle; remove {} first",
                                              bundle.manifest.version, folder.string()));
    const auto keys = root_.keys();
    if (!keys) return std::unexpected(keys.error());
    if (auto whole = verify_unpacked(folder, *keys); !whole) return std::unexpected(whole.error());
    return {};
  }

  // That they start on this machine at all, with the libraries that they find.
  static Result<> probe(const fs::path& folder, const Manifest& manifest) {
    const auto said = run_program({(folder / "bin" / "rltune").string(), "--version"}, kProbePatience);
    if (!said) return std::unexpected(said.error());
    if (said->status != 0 || said->output != std::format("rltune {}\n", manifest.version))
      return fail(Errc::unsupported, std::format("the programs do not run here: {}", said->output));
    for (const BundleFile& file : manifest.files) {
      if (!file.program || !file.path.starts_with("bin/")) continue;
      const auto ended = run_program({(folder / file.path).string(), "--help"}, kProbePatience);
      if (!ended) return std::unexpected(ended.error());
      if (ended->status != 0)
        return fail(Errc::unsupported, std::format("{} does not run here: {}", file.path, ended->output));
    }
    return {};
  }

  // --- to a version, and back

  Result<Outcome> go(Note& note) {
    note.step = Note::Step::switch_over;
    step("note that it switches");
    if (auto saved = root_.save(note); !saved) return std::unexpected(saved.error());
    return switch_over(note);
  }

  Journey::Limits forward() const {
    return {.deadline = options_.deadline, .hold = options_.hold, .settle = options_.settle};
  }
  // There is nothing else to go to, and what hangs there is not waited for.
  Journey::Limits backward() const {
    return {.deadline = options_.deadline,
            .hold = options_.deadline,
            .settle = options_.settle,
            .grace = kGraceOfUndo,
            .by_signal = true};
  }

  Result<Outcome> switch_over(Note& note) {
    step("switch to " + note.to);
    if (auto set = root_.set_current(note.to); !set) return std::unexpected(set.error());
    Outcome outcome{.from = note.from, .to = note.to, .changed = true};
    for (const NotedSite& site : everyone(note)) {
      step("restart " + site.site.string());
      outcome.sites.push_back(Journey(options_.root, site, note.to, forward()).run());
      if (outcome.sites.back().well) continue;
      note.why = std::format("{}: {}", site.site.string(), outcome.sites.back().why);
      note.step = Note::Step::undo;
      step("note that it goes back");
      if (auto saved = root_.save(note); !saved) return std::unexpected(saved.error());
      return undo(note, outcome.sites.back());
    }
    return close(note, std::move(outcome));
  }

  // `failed`: how it went for the site that is the reason; its outputs are still held.
  Result<Outcome> undo(const Note& note, const SiteOutcome& failed = {}) {
    step("switch back to " + (note.from.empty() ? std::string("nothing") : note.from));
    if (auto set = root_.set_current(note.from); !set) return std::unexpected(set.error());
    Outcome outcome{.from = note.from, .to = note.to, .changed = true, .undone = true, .why = note.why};
    for (const NotedSite& site : everyone(note)) {
      step("restart " + site.site.string());
      outcome.sites.push_back(Journey(options_.root, site, note.from, backward()).run());
      if (site.site == failed.site) outcome.sites.back().held_s += failed.held_s;
    }
    return close(note, std::move(outcome));
  }

  // The sites of the note, and who was started since.
  std::vector<NotedSite> everyone(const Note& note) const {
    std::vector<NotedSite> sites = note.sites;
    for (const RunningSite& running : running_sites(options_.root))
      if (std::ranges::none_of(sites, [&](const NotedSite& site) { return site.run_folder == running.run_folder; }))
        sites.push_back({running.site, running.run_folder, {}});
    return sites;
  }

  Result<Outcome> close(const Note& note, Outcome outcome) {
    if (!outcome.undone) {
      step("remember " + (note.from.empty() ? std::string("nothing") : note.from));
      if (auto set = root_.set_previous(note.from); !set) return std::unexpected(set.error());
    }
    outcome.current = root_.current();
    outcome.unit_differs = unit_of(note.from) != unit_of(outcome.current);
    step("write the audit log");
    for (const NotedSite& site : note.sites) put_on_record(site, note, outcome);
    step("forget the note");
    if (auto forgotten = root_.forget_note(); !forgotten) return std::unexpected(forgotten.error());
    step("remove what nobody uses");
    tidy();
    return outcome;
  }

  std::string unit_of(const std::string& version) const {
    return version.empty() ? "" : read_file(root_.version_folder(version) / "share" / "rltune@.service").value_or("");
  }

  void put_on_record(const NotedSite& site, const Note& note, const Outcome& outcome) const {
    const auto known = config::load_site(site.site);
    const fs::path data = known ? known->folder / known->storage.folder : site.site.parent_path() / "data";
    as_owner(data, [&] {
      const audit::Entry entry{
          .actor = options_.user,
          .action = "product." + std::string(note.kind == Note::Kind::apply ? "upgrade" : "rollback"),
          .target = note.to,
          .reason = options_.reason,
          .details = {{"from", note.from},
                      {"current", outcome.current},
                      {"outcome", outcome.undone ? "undone: " + outcome.why : "done"}}};
      return audit::append_once(data / "audit", "cli", entry).has_value();
    });
  }

  // The version that is current, the one to go back to, and what still runs stay.
  void tidy() const {
    std::vector<std::string> used{root_.current(), root_.previous()};
    for (const RunningSite& site : running_sites(options_.root)) used.push_back(site.version);
    for (const std::string& version : root_.versions())
      if (std::ranges::find(used, version) == used.end()) [[maybe_unused]]
        const auto removed = root_.remove(version);
    [[maybe_unused]] const auto removed = root_.remove_unfinished();
  }

  // --- after a kill

  // Nothing of it was in use.
  Result<> clear() const {
    if (auto removed = root_.remove_unfinished(); !removed) return removed;
    if (auto forgotten = root_.forget_note(); !forgotten) return forgotten;
    tidy();
    return {};
  }

  // `back`: the wish is to go back, so an upgrade is undone and not finished.
  Result<std::optional<Outcome>> finish_begun(bool back) {
    auto note = root_.note();
    if (!note) return std::unexpected(note.error());
    if (!*note) {
      [[maybe_unused]] const auto removed = root_.remove_unfinished();
      return std::nullopt;
    }
    step("finish what was begun");
    if ((*note)->step == Note::Step::unpack) {
      if (auto cleared = clear(); !cleared) return std::unexpected(cleared.error());
      return std::nullopt;
    }
    if ((*note)->step == Note::Step::switch_over && back && (*note)->kind == Note::Kind::apply &&
        !(*note)->from.empty()) {
      (*note)->step = Note::Step::undo;
      (*note)->why = "a rollback was asked for";
      step("note that it goes back");
      if (auto saved = root_.save(**note); !saved) return std::unexpected(saved.error());
    }
    auto outcome = (*note)->step == Note::Step::undo ? undo(**note) : switch_over(**note);
    if (!outcome) return std::unexpected(outcome.error());
    return std::move(*outcome);
  }

  const Options& options_;
  Root root_;
};

}  // namespace

Result<Standing> status(const fs::path& folder) {
  const Root root(folder);
  Standing standing{.current = root.current(), .previous = root.previous(), .versions = root.versions()};
  auto note = root.note();
  if (!note) return std::unexpected(note.error());
  standing.note = std::move(*note);
  for (const RunningSite& site : running_sites(folder))
    standing.sites.push_back({site, SiteLink(site.run_folder).look()});
  return standing;
}

Result<Bundle> check(const fs::path& bundle, const Options& options) { return Work(options).check(bundle); }
Result<Outcome> apply(const fs::path& bundle, const Options& options) { return Work(options).apply(bundle); }
Result<Outcome> rollback(const Options& options) { return Work(options).rollback(); }
Result<std::optional<Outcome>> finish(const Options& options) { return Work(options).finish(); }

}  // namespace rltune::upgrade
