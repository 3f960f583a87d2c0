#include "rltune/audit/log.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <format>
#include <thread>

#include "log_file.hpp"
#include "rltune/base/append_file.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/log.hpp"
#include "words.hpp"

namespace rltune::audit {
namespace {

constexpr auto kLockTurn = std::chrono::milliseconds(20);

std::string day_of(TimePoint time) { return format_rfc3339(std::chrono::floor<std::chrono::days>(time)).substr(0, 10); }

// One writer a role, as long as this lives.
class Lock {
 public:
  static Result<Lock> take(const std::filesystem::path& folder, const Clock& clock, Duration patience) {
    const std::filesystem::path file = folder / "lock";
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (descriptor < 0)
      return fail(errno == EACCES || errno == EROFS ? Errc::denied : Errc::io,
                  std::format("cannot open {}: {}", file.string(), std::strerror(errno)));
    Lock lock(descriptor);
    const Duration until = clock.steady() + patience;
    while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR)
        return fail(Errc::io, std::format("cannot lock {}: {}", file.string(), std::strerror(errno)));
      if (clock.steady() >= until)
        return fail(Errc::timeout, std::format("{}: another process writes this audit log", folder.string()));
      std::this_thread::sleep_for(kLockTurn);
    }
    return lock;
  }
  ~Lock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Lock(Lock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Lock& operator=(Lock&&) = delete;

 private:
  explicit Lock(int descriptor) noexcept : descriptor_(descriptor) {}
  int descriptor_;
};

// What a file holds from its beginning: lines that verify, then perhaps others, then perhaps bytes without an end.
struct Content {
  std::uint64_t lines = 0;   // whole ones, good or not
  std::optional<Line> last;  // good
  bool damaged = false;
  std::string torn;
};

Result<Content> read_content(const std::filesystem::path& path) {
  const auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  Content content;
  std::string_view rest;
  for (const std::string_view bytes : split_lines(*text, rest)) {
    ++content.lines;
    auto line = decode(bytes);
    const bool follows =
        line &&
        (!content.last || (line->sequence == content.last->sequence + 1 && line->previous == content.last->hash));
    content.damaged = content.damaged || !follows;
    if (line) content.last = std::move(*line);
  }
  content.torn = rest;
  return content;
}

Result<std::optional<Head>> last_head(const std::filesystem::path& folder) {
  const auto text = read_file(folder / kHeadsName);
  if (!text) return std::nullopt;
  std::string_view rest;
  const auto lines = split_lines(*text, rest);
  for (auto line = lines.rbegin(); line != lines.rend(); ++line)
    if (auto head = decode_head(*line)) return *head;
  return std::nullopt;
}

}  // namespace

struct Log::State {
  std::filesystem::path audit_folder, folder;
  std::string role;
  const Clock& clock;
  SigningKey key;
  vault::Vault vault;
  Lock lock;
  std::optional<AppendFile> file, heads;
  LogFile current;
  std::uint64_t sequence = 0, count = 0, signed_sequence = 0;
  std::string hash;
  std::vector<Entry> findings;  // what opening found: they come first
  bool sound = false;           // the file is as this state says

  // Finds where the log goes on.
  Result<> recover();
  Result<> continue_in(const LogFile& last, Content content);
  Result<> compare_with_heads();
  Result<> open_file(const LogFile& file_of_day);
  Result<> open_heads();
  Result<> open_day(TimePoint now);
  Result<> write(std::span<const Entry> entries);
};

Result<> Log::State::recover() {
  sequence = count = 0;
  hash = first_link(role);
  file.reset();
  const auto files = list_log_files(folder);
  if (!files) return std::unexpected(files.error());
  for (auto known = files->rbegin(); known != files->rend(); ++known) {
    auto content = read_content(known->path);
    if (!content) return std::unexpected(content.error());
    // The last file is the one to go on in; a day before it counts only for where the chain stands.
    const bool last = known == files->rbegin();
    const auto found = content->last;
    if (last)
      if (auto done = continue_in(*known, std::move(*content)); !done) return done;
    if (!found) continue;
    sequence = found->sequence;
    hash = found->hash;
    break;
  }
  if (auto done = open_heads(); !done) return done;
  if (auto done = compare_with_heads(); !done) return done;
  sound = true;
  return {};
}

Result<> Log::State::continue_in(const LogFile& last, Content content) {
  if (content.damaged) {
    log::critical("the audit log was changed; it goes on in another file", {{"file", last.path.string()}});
    findings.push_back({.actor = role, .action = "log.damaged", .target = last.path.filename().string()});
    return open_file(log_file(folder, last.day, last.part + 1));
  }
  if (auto done = open_file(last); !done) return done;
  count = content.lines;
  if (content.torn.empty()) return {};
  findings.push_back({.actor = role,
                      .action = "log.repaired",
                      .target = last.path.filename().string(),
                      .reason = "the last line had no end, as after a crash",
                      .details = {{"bytes", std::to_string(content.torn.size())},
                                  {"blake2b", blake2b(content.torn)},
                                  {"text", content.torn}}});
  return file->cut(file->size() - content.torn.size());
}

Result<> Log::State::compare_with_heads() {
  const auto head = last_head(folder);
  if (!head) return std::unexpected(head.error());
  if (!*head) return {};
  signed_sequence = std::min((*head)->sequence, sequence);
  if ((*head)->sequence <= sequence) return {};
  log::critical(
      "the audit log ends before its own head: lines are missing",
      {{"role_of_log", role}, {"ends_at", std::to_string(sequence)}, {"head", std::to_string((*head)->sequence)}});
  findings.push_back({.actor = role,
                      .action = "log.cut",
                      .target = (*head)->file,
                      .details = {{"ends_at", std::to_string(sequence)},
                                  {"head", std::to_string((*head)->sequence)},
                                  {"hash", (*head)->hash}}});
  return {};
}

Result<> Log::State::open_file(const LogFile& wanted) {
  auto opened = AppendFile::open(wanted.path);
  if (!opened) return std::unexpected(opened.error());
  file = std::move(*opened);
  current = wanted;
  count = 0;
  return {};
}

// Bytes of a head that has no end were never acknowledged.
Result<> Log::State::open_heads() {
  const std::filesystem::path path = folder / kHeadsName;
  auto opened = AppendFile::open(path);
  if (!opened) return std::unexpected(opened.error());
  heads = std::move(*opened);
  const auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  const std::size_t end = text->rfind('\n');
  const std::uint64_t whole = end == std::string::npos ? 0 : end + 1;
  return whole == text->size() ? Result<>{} : heads->cut(whole);
}

// A clock that steps back does not open an earlier day again.
Result<> Log::State::open_day(TimePoint now) {
  const std::string day = day_of(now);
  if (file && day <= current.day) return {};
  return open_file(log_file(folder, day, 1));
}

Result<> Log::State::write(std::span<const Entry> entries) {
  const TimePoint now = clock.now();
  if (auto opened = open_day(now); !opened) return opened;
  std::string text, last = hash;
  std::uint64_t next = sequence;
  for (const Entry& entry : entries) {
    ++next;
    Line line{.sequence = next, .entry = stored(entry, role, next, vault), .previous = last, .hash = {}};
    if (line.entry.time == TimePoint{}) line.entry.time = now;
    text += encode(line);
    last = line.hash;
  }
  if (auto added = file->add(text); !added) {
    sound = false;
    return added;
  }
  count += entries.size();
  sequence = next;
  hash = last;
  return {};
}

Result<Log> Log::open(const std::filesystem::path& audit_folder, const std::string& role, const Clock& clock,
                      Duration patience) {
  const std::filesystem::path folder = audit_folder / role;
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code)
    return fail(code == std::errc::permission_denied ? Errc::denied : Errc::io,
                std::format("cannot create {}: {}", folder.string(), code.message()));
  auto key = SigningKey::find_or_make(audit_folder);
  if (!key) return std::unexpected(key.error());
  auto lock = Lock::take(folder, clock, patience);
  if (!lock) return std::unexpected(lock.error());
  auto state = std::make_unique<State>(State{.audit_folder = audit_folder,
                                             .folder = folder,
                                             .role = role,
                                             .clock = clock,
                                             .key = std::move(*key),
                                             .vault = vault::Vault::beside(audit_folder),
                                             .lock = std::move(*lock)});
  Log log(std::move(state));
  if (auto done = log.append(std::span<const Entry>{}); !done) return std::unexpected(done.error());
  return log;
}

Log::Log(std::unique_ptr<State> state) : state_(std::move(state)) {}
Log::~Log() = default;
Log::Log(Log&&) noexcept = default;
Log& Log::operator=(Log&&) noexcept = default;

std::uint64_t Log::sequence() const noexcept { return state_->sequence; }

Result<> Log::append(std::span<const Entry> entries) {
  State& state = *state_;
  if (!state.sound)
    if (auto done = state.recover(); !done) return done;
  if (!state.findings.empty()) {
    if (auto done = state.write(state.findings); !done) return done;
    state.findings.clear();
  }
  if (!entries.empty())
    if (auto done = state.write(entries); !done) return done;
  // A log without any head could be removed whole and begin again. It is on disk, head or not.
  if (state.sequence > 0 && state.signed_sequence == 0)
    if (auto head = sign_head(); !head)
      log::error("the audit log's head cannot be signed", {{"reason", head.error().message}});
  return {};
}

Result<std::optional<Head>> Log::sign_head() {
  State& state = *state_;
  if (!state.sound || state.sequence == state.signed_sequence) return std::nullopt;
  Head head{.role = state.role,
            .file = state.current.path.filename().string(),
            .hash = state.hash,
            .sequence = state.sequence,
            .count = state.count,
            .time = state.clock.now(),
            .key = {}};
  if (auto added = state.heads->add(encode(head, state.key)); !added) {
    state.sound = false;
    return std::unexpected(added.error());
  }
  state.signed_sequence = state.sequence;
  return head;
}

namespace {

Result<Line> first_line_of(const std::filesystem::path& path) {
  const auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  return decode(std::string_view(*text).substr(0, text->find('\n')));
}

}  // namespace

Result<std::uint64_t> Log::remove_before(TimePoint time) {
  State& state = *state_;
  if (auto ready = append(std::span<const Entry>{}); !ready) return std::unexpected(ready.error());
  const auto files = list_log_files(state.folder);
  if (!files) return std::unexpected(files.error());
  const std::string day = day_of(time);
  std::size_t old = 0;
  while (old + 1 < files->size() && (*files)[old].day < day && (*files)[old].path != state.current.path) ++old;
  if (old == 0) return 0;
  const auto first = first_line_of((*files)[old].path);
  if (!first)
    return fail(first.error().code, std::format("{}: {}", (*files)[old].path.string(), first.error().message));
  const Entry start{.actor = state.role,
                    .action = kExpired,
                    .target = (*files)[old - 1].path.filename().string(),
                    .reason = "older than retention.yaml keeps it",
                    .details = {{"first", std::to_string(first->sequence)}, {"previous", first->previous}}};
  if (auto told = append(start); !told) return std::unexpected(told.error());
  if (const auto head = sign_head(); !head) return std::unexpected(head.error());
  for (std::size_t i = 0; i < old; ++i) {
    std::error_code code;
    std::filesystem::remove((*files)[i].path, code);
    if (code) return fail(Errc::io, std::format("cannot remove {}: {}", (*files)[i].path.string(), code.message()));
  }
  return old;
}

std::uint64_t remove_before(const std::filesystem::path& audit_folder, const std::string& but, TimePoint time,
                            const Clock& clock) {
  std::uint64_t removed = 0;
  const auto roles = list_roles(audit_folder);
  if (!roles) return removed;
  for (const std::string& role : *roles) {
    const auto files = list_log_files(audit_folder / role);
    if (role == but || !files || files->size() < 2 || files->front().day >= day_of(time)) continue;
    auto log = Log::open(audit_folder, role, clock, Duration(0));
    if (!log && log.error().code == Errc::timeout) continue;  // its writer sees to it
    const auto gone = log ? log->remove_before(time) : std::unexpected(log.error());
    if (!gone)
      log::error("old lines of the audit log cannot be removed", {{"of", role}, {"reason", gone.error().message}});
    removed += gone.value_or(0);
  }
  return removed;
}

Result<> append_once(const std::filesystem::path& audit_folder, const std::string& role, const Entry& entry) {
  const WallClock clock;
  auto log = Log::open(audit_folder, role, clock);
  if (!log) return std::unexpected(log.error());
  if (auto done = log->append(entry); !done) return done;
  auto head = log->sign_head();
  if (!head) return std::unexpected(head.error());
  return {};
}

}  // namespace rltune::audit
