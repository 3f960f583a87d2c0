#include "rltune/audit/verify.hpp"

#include <algorithm>
#include <charconv>
#include <format>
#include <map>
#include <optional>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "log_file.hpp"
#include "rltune/audit/head.hpp"
#include "rltune/base/file.hpp"
#include "words.hpp"

namespace rltune::audit {
namespace {

constexpr auto kBesideWriter = std::chrono::milliseconds(50);
constexpr int kReadsBesideWriter = 3;
constexpr std::string_view kExported = ".heads.jsonl";

// One line of a role's log, where it stands.
struct Item {
  const RoleFiles::File* file;
  std::uint64_t number;  // in its file
  Result<Line> line;
};

// A head, where it stands.
struct PlacedHead {
  const RoleFiles::File* file;
  std::uint64_t number;
  Head head;
};

std::string range(std::uint64_t first, std::uint64_t last) {
  return first == last ? std::format("line {} of the log", first)
                       : std::format("lines {} to {} of the log", first, last);
}

class Checker {
 public:
  Checker(const RoleFiles& files, std::string public_key) : files_(files), key_(std::move(public_key)) {
    report_.role = files.role;
  }

  RoleReport run() {
    read_heads();
    read_lines();
    find_start();
    for (std::size_t i = 0; i < items_.size(); ++i) take(i);
    say_torn();
    finish_heads();
    report_.files = files_.logs.size();
    return std::move(report_);
  }

 private:
  void fault(const RoleFiles::File& file, std::uint64_t line, const char* kind, std::string what) {
    report_.faults.push_back({file.name, line, kind, std::move(what)});
  }

  void read_heads() {
    for (const RoleFiles::File& file : files_.heads) {
      std::string_view rest;
      std::uint64_t number = 0;
      for (const std::string_view bytes : split_lines(file.bytes, rest)) read_head(file, ++number, bytes);
      if (!rest.empty()) fault(file, number + 1, "cut", "the head has no end");
    }
  }

  void read_head(const RoleFiles::File& file, std::uint64_t number, std::string_view bytes) {
    auto head = decode_head(bytes);
    if (!head) return fault(file, number, "head", head.error().message);
    if (head->role != files_.role)
      return fault(file, number, "head", std::format("it is of the log of {}", head->role));
    if (key_.empty()) key_ = head->key;
    if (head->key != key_)
      return fault(file, number, "head", std::format("it is signed by another key, {}", head->key));
    ++report_.heads;
    const std::uint64_t sequence = head->sequence;
    heads_.emplace(sequence, PlacedHead{&file, number, std::move(*head)});
  }

  void read_lines() {
    for (const RoleFiles::File& file : files_.logs) {
      std::string_view rest;
      std::uint64_t number = 0;
      for (const std::string_view bytes : split_lines(file.bytes, rest)) {
        items_.push_back({&file, ++number, decode(bytes)});
        if (items_.back().line) present_.insert(items_.back().line->sequence);
      }
      if (!rest.empty()) torn_.emplace_back(&file, number + 1);
    }
    report_.lines = items_.size();
  }

  // Where retention has removed what was before, an entry of the chain says so. What a crash left of it does not count.
  void find_start() {
    std::unordered_map<std::uint64_t, std::size_t> places;
    for (std::size_t i = 0; i < items_.size(); ++i)
      if (items_[i].line) places.emplace(items_[i].line->sequence, i);
    std::optional<std::size_t> start;
    for (const Item& item : items_) {
      if (!item.line || item.line->entry.action != kExpired) continue;
      const auto place = places.find(number_in(item.line->entry, "first"));
      if (place == places.end() || place->first > item.line->sequence) continue;
      if (items_[place->second].line->previous != detail(item.line->entry, "previous")) continue;
      if (!start || place->second > *start) start = place->second;
    }
    if (!start) return;
    const Line first = *items_[*start].line;
    if (*start + 1 >= first.sequence) return;  // nothing is gone yet
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(*start));
    report_.starts_at = expected_ = first.sequence;
    report_.lines = items_.size();
    previous_ = first.previous;
    const auto [from, to] = heads_.equal_range(first.sequence - 1);
    for (auto head = from; head != to; ++head)
      if (head->second.head.hash != first.previous)
        fault(*head->second.file, head->second.number, "head",
              std::format("it was signed for another line than the one before {}", first.sequence));
  }

  static std::string detail(const Entry& entry, std::string_view name) {
    for (const auto& [key, value] : entry.details)
      if (key == name) return value;
    return {};
  }
  static std::uint64_t number_in(const Entry& entry, std::string_view name) {
    const std::string text = detail(entry, name);
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }

  void take(std::size_t index) {
    const Item& item = items_[index];
    if (!item.line) return take_unreadable(index);
    const Line& line = *item.line;
    if (line.sequence < expected_) return take_late(item);
    if (line.sequence > expected_) {
      const bool elsewhere = present_.contains(expected_);
      fault(*item.file, item.number, elsewhere ? "reordered" : "missing",
            elsewhere ? std::format("line {} of the log stands before line {}", line.sequence, expected_)
                      : std::format("{} {} missing before it", range(expected_, line.sequence - 1),
                                    expected_ == line.sequence - 1 ? "is" : "are"));
    } else if (known_ && line.previous != previous_) {
      fault(*item.file, item.number, "changed", "it does not follow the line before it: one of the two was rewritten");
    }
    accept(item);
  }

  // Neither its content nor its number can be trusted: what comes next tells whether it had a place of its own.
  void take_unreadable(std::size_t index) {
    const Item& item = items_[index];
    const bool goes_on = index + 1 < items_.size() && items_[index + 1].line &&
                         items_[index + 1].line->sequence == expected_ &&
                         (!known_ || items_[index + 1].line->previous == previous_);
    fault(*item.file, item.number, goes_on ? "inserted" : "changed", item.line.error().message);
    if (goes_on) return;
    ++expected_;
    known_ = false;
  }

  void take_late(const Item& item) {
    const bool copy = taken_.contains(item.line->sequence);
    fault(*item.file, item.number, copy ? "inserted" : "reordered",
          std::format("line {} of the log stands {}", item.line->sequence, copy ? "here a second time" : "too late"));
  }

  void accept(const Item& item) {
    const Line& line = *item.line;
    taken_.insert(line.sequence);
    expected_ = line.sequence + 1;
    previous_ = line.hash;
    known_ = true;
    report_.repaired += line.entry.action == "log.repaired" ? 1U : 0U;
    const std::string time = format_rfc3339(line.entry.time);
    if (report_.first_time.empty()) report_.first_time = time;
    report_.last_time = time;
    const auto [from, to] = heads_.equal_range(line.sequence);
    for (auto head = from; head != to; ++head) compare(head->second, item);
  }

  void compare(const PlacedHead& placed, const Item& item) {
    const Head& head = placed.head;
    if (head.hash != item.line->hash)
      return fault(*placed.file, placed.number, "head",
                   std::format("it was signed for another line than {}:{}", item.file->name, item.number));
    if (head.count != item.number || std::filesystem::path(item.file->name).filename() != head.file)
      return fault(*placed.file, placed.number, "head",
                   std::format("its line stood at {}:{} and stands at {}:{} now", head.file, head.count,
                               item.file->name, item.number));
    report_.last_signed = std::max(report_.last_signed, head.sequence);
  }

  void say_torn() {
    for (const auto& [file, number] : torn_)
      fault(*file, number, "cut", "it has no end, as after a crash or a cut; a crash is repaired when the role starts");
  }

  void finish_heads() {
    if (!items_.empty() && heads_.empty() && report_.faults.empty())
      fault(files_.logs.back(), 0, "head", "no head says how far this log went");
    // Of those beyond the end the last says it all.
    const auto beyond = heads_.lower_bound(expected_);
    if (beyond != heads_.end()) {
      const PlacedHead& last = std::prev(heads_.end())->second;
      const std::string place = files_.logs.empty() ? last.head.file : files_.logs.back().name;
      report_.faults.push_back(
          {place, 0, "cut",
           std::format("the log ends before line {}, for which {}:{} was signed at {}", last.head.sequence,
                       last.file->name, last.number, format_rfc3339(last.head.time))});
    }
    for (auto head = heads_.lower_bound(report_.starts_at); head != beyond; ++head)
      if (!taken_.contains(head->first))
        fault(*head->second.file, head->second.number, "head",
              std::format("line {} of the log, for which it was signed, cannot be read", head->first));
  }

  const RoleFiles& files_;
  std::string key_;
  RoleReport report_;
  std::vector<Item> items_;
  std::vector<std::pair<const RoleFiles::File*, std::uint64_t>> torn_;
  std::multimap<std::uint64_t, PlacedHead> heads_;
  std::unordered_set<std::uint64_t> present_, taken_;
  std::uint64_t expected_ = 1;
  std::string previous_ = first_link(files_.role);
  bool known_ = true;
};

// Beside a running writer a line may be there in part.
Result<std::string> read_whole_lines(const std::filesystem::path& path) {
  auto text = read_file(path);
  for (int i = 0; i < kReadsBesideWriter && text && !text->empty() && !text->ends_with('\n'); ++i) {
    std::this_thread::sleep_for(kBesideWriter);
    text = read_file(path);
  }
  return text;
}

Result<> add_file(const std::filesystem::path& path, std::vector<RoleFiles::File>& files) {
  auto bytes = read_whole_lines(path);
  if (!bytes) return std::unexpected(bytes.error());
  files.push_back({path.string(), std::move(*bytes)});
  return {};
}

// Heads before lines: of a log that is being written every head has its line.
Result<RoleFiles> load(const std::filesystem::path& audit_folder, const std::filesystem::path& heads_folder,
                       const std::string& role) {
  RoleFiles files{.role = role, .logs = {}, .heads = {}};
  std::vector<std::filesystem::path> heads{audit_folder / role / kHeadsName};
  if (!heads_folder.empty()) heads.insert(heads.begin(), heads_folder / (role + std::string(kExported)));
  for (const auto& path : heads)
    if (std::filesystem::exists(path))
      if (auto added = add_file(path, files.heads); !added) return std::unexpected(added.error());
  const auto logs = list_log_files(audit_folder / role);
  if (!logs) return std::unexpected(logs.error());
  for (const LogFile& log : *logs)
    if (auto added = add_file(log.path, files.logs); !added) return std::unexpected(added.error());
  return files;
}

Result<> add_exported_roles(const std::filesystem::path& heads_folder, std::vector<std::string>& roles) {
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(heads_folder, code)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(kExported)) continue;
    std::string role = name.substr(0, name.size() - kExported.size());
    if (!std::ranges::contains(roles, role)) roles.push_back(std::move(role));
  }
  if (code)
    return fail(Errc::not_found,
                std::format("{}: no heads can be read here: {}", heads_folder.string(), code.message()));
  std::ranges::sort(roles);
  return {};
}

}  // namespace

RoleReport check(const RoleFiles& files, const std::string& public_key) { return Checker(files, public_key).run(); }

Result<std::vector<RoleReport>> verify(const std::filesystem::path& audit_folder,
                                       const std::filesystem::path& heads_folder, const std::string& public_key) {
  auto roles = list_roles(audit_folder);
  if (!roles) return std::unexpected(roles.error());
  if (!heads_folder.empty())
    if (auto added = add_exported_roles(heads_folder, *roles); !added) return std::unexpected(added.error());
  std::vector<RoleReport> reports;
  for (const std::string& role : *roles) {
    const auto files = load(audit_folder, heads_folder, role);
    if (!files) return std::unexpected(files.error());
    reports.push_back(check(*files, public_key));
  }
  return reports;
}

Result<> read_lines(const std::filesystem::path& audit_folder,
                    const std::function<bool(const std::string& role, const Line&)>& visit) {
  const auto roles = list_roles(audit_folder);
  if (!roles) return std::unexpected(roles.error());
  const vault::Vault vault = vault::Vault::beside(audit_folder);
  for (const std::string& role : *roles) {
    const auto logs = list_log_files(audit_folder / role);
    if (!logs) return std::unexpected(logs.error());
    for (const LogFile& log : *logs) {
      const auto text = read_file(log.path);
      if (!text) return std::unexpected(text.error());
      std::string_view rest;
      for (const std::string_view bytes : split_lines(*text, rest))
        if (auto line = decode(bytes)) {
          line->entry = shown(std::move(line->entry), role, line->sequence, vault);
          if (!visit(role, *line)) return {};
        }
    }
  }
  return {};
}

}  // namespace rltune::audit
