// rltune audit log FOLDER [--from T --to T --actor A --action A --target T --role R --limit N --follow] [--json]
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <print>
#include <thread>

#include "audit.hpp"
#include "rltune/audit/search.hpp"
#include "rltune/audit/verify.hpp"
#include "rltune/base/interrupt.hpp"

namespace rltune::audit {
namespace {

using namespace std::chrono_literals;
using nlohmann::ordered_json;

constexpr auto kFollowEvery = 1s;

struct LogOptions {
  std::string folder, from, to, actor, action, target, role;
  std::size_t limit = 200;
  bool follow = false, json = false;
};

struct RoleLine {
  std::string role;
  Line line;
};

class Filter {
 public:
  explicit Filter(const LogOptions& options)
      : options_(options),
        from_(parse_time(options.from, "--from", TimePoint::min())),
        to_(parse_time(options.to, "--to", TimePoint::max())) {}

  bool takes(const std::string& role, const Entry& entry) const {
    return entry.time >= from_ && entry.time < to_ && fits(options_.role, role) && fits(options_.actor, entry.actor) &&
           fits(options_.action, entry.action) && fits(options_.target, entry.target);
  }

 private:
  const LogOptions& options_;
  TimePoint from_, to_;
};

ordered_json json_of(const RoleLine& one) {
  const Entry& entry = one.line.entry;
  ordered_json object{{"role", one.role},
                      {"seq", one.line.sequence},
                      {"time", format_rfc3339(entry.time)},
                      {"actor", entry.actor},
                      {"action", entry.action},
                      {"target", entry.target},
                      {"reason", entry.reason},
                      {"correlation", entry.correlation_id}};
  object["details"] = ordered_json::object();
  for (const auto& [name, value] : entry.details) object["details"][name] = value;
  object["hash"] = one.line.hash;
  return object;
}

void print_line(const RoleLine& one) {
  const Entry& entry = one.line.entry;
  std::string details;
  for (const auto& [name, value] : entry.details) details += std::format(" {}={}", name, value);
  std::println("{:<24} {:<12} {:<10} {:<16} {}{}{}",
               format_rfc3339(std::chrono::floor<std::chrono::milliseconds>(entry.time)), one.role, entry.actor,
               entry.action, entry.target, details, entry.reason.empty() ? "" : std::format(" \"{}\"", entry.reason));
}

// What is new since `seen`, by role, in the order of time.
std::vector<RoleLine> read(const LogOptions& options, const Filter& filter,
                           std::map<std::string, std::uint64_t>& seen) {
  std::vector<RoleLine> lines;
  const auto done = read_lines(audit_folder(options.folder), [&](const std::string& role, const Line& line) {
    if (line.sequence <= seen[role]) return true;
    seen[role] = line.sequence;
    if (filter.takes(role, line.entry)) lines.push_back({role, line});
    return true;
  });
  if (!done) stop(done.error());
  std::ranges::stable_sort(lines, {}, [](const RoleLine& one) { return one.line.entry.time; });
  return lines;
}

void follow(const LogOptions& options, const Filter& filter, std::map<std::string, std::uint64_t>& seen) {
  catch_interrupts();
  while (!interrupted()) {
    std::fflush(stdout);
    std::this_thread::sleep_for(kFollowEvery);
    for (const RoleLine& one : read(options, filter, seen)) print_line(one);
  }
}

void log_command(const LogOptions& options) {
  if (options.follow && options.json) stop(kWrongUsage, "--json is one object; --follow has no end");
  const Filter filter(options);
  std::map<std::string, std::uint64_t> seen;
  std::vector<RoleLine> lines = read(options, filter, seen);
  const std::size_t left_out = lines.size() > options.limit ? lines.size() - options.limit : 0;
  lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(left_out));
  if (options.json) {
    ordered_json list = ordered_json::array();
    for (const RoleLine& one : lines) list.push_back(json_of(one));
    return std::println(
        "{}", ordered_json{{"lines", std::move(list)}, {"count", lines.size()}, {"left_out", left_out}}.dump(2));
  }
  for (const RoleLine& one : lines) print_line(one);
  if (left_out > 0) std::println(stderr, "{} older ones are left out: --limit", left_out);
  if (lines.empty() && !options.follow) std::println(stderr, "no line fits");
  if (options.follow) follow(options, filter, seen);
}

}  // namespace

void add_log_command(CLI::App& app) {
  const auto options = std::make_shared<LogOptions>();
  CLI::App& command = *app.add_subcommand("log", "Who did what, when and why");
  command.add_option("folder", options->folder, "The site's data folder, or its audit folder")
      ->required()
      ->check(CLI::ExistingDirectory);
  command.add_option("--from", options->from, "First instant, or a day, UTC")->type_name("TIME");
  command.add_option("--to", options->to, "Instant after the last one")->type_name("TIME");
  command.add_option("--actor", options->actor, "By this person or role alone");
  command.add_option("--action", options->action, "This action alone, or all that begin so: mode, setpoint.write");
  command.add_option("--target", options->target, "On this tag, agent or role alone");
  command.add_option("--role", options->role, "As this role wrote it down: io, coredinator, cli, agent");
  command.add_option("--limit", options->limit, "The newest so many")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command.add_flag("-f,--follow", options->follow, "Go on with what is added, until Ctrl-C");
  command.add_flag("--json", options->json, "One JSON object on stdout");
  command.footer(
      "Examples:\n"
      "  rltune audit log site/data --from 2026-01-02 --actor mia\n"
      "  rltune audit log site/data --action setpoint.write --json\n"
      "  rltune audit log site/data --follow");
  command.callback([options] { log_command(*options); });
}

}  // namespace rltune::audit
