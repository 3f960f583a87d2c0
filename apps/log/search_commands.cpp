#include "search_commands.hpp"

#include <unistd.h>

#include <format>
#include <fstream>
#include <memory>
#include <print>
#include <thread>

#include "rltune/base/clock.hpp"
#include "rltune/base/interrupt.hpp"
#include "site_logs.hpp"

namespace rltune::log_app {
namespace {

using Json = nlohmann::ordered_json;
using command::kFailed;
using command::stop;

constexpr auto kFollowEvery = std::chrono::milliseconds(300);

constexpr const char* kExamples =
    "Examples:\n"
    "  rltune log search site.yaml                               the newest entries\n"
    "  rltune log search site.yaml --service io --level warning --since 2h\n"
    "  rltune log search site.yaml --correlation-id 0192f1c2-7e11 --oldest\n"
    "  rltune log follow site.yaml --text 'heating'              as they come, until Ctrl-C\n"
    "  rltune log export site.yaml --since 30d --out july.ndjson\n"
    "\nServices are the roles: io, agent.climate, coredinator, ...; `--service agent.climate --service io` takes "
    "both.\n"
    "Instants: 2026-05-04T12:00:00Z, or how long ago: 90s, 15m, 2h, 7d. The site need not run.";

struct Options {
  std::filesystem::path file, run_folder, out;
  std::vector<std::string> services;
  std::string level, correlation_id, text, since, until, format = "ndjson";
  std::size_t limit = 100;
  bool oldest = false, json = false;
};

// "2h": so long before now; anything else as it is.
std::string instant_of(const std::string& text) {
  double number = 0.0;
  std::size_t end = 0;
  try {
    number = std::stod(text, &end);
  } catch (const std::exception&) {
    return text;
  }
  const std::map<std::string, double> seconds{{"s", 1.0}, {"m", 60.0}, {"h", 3'600.0}, {"d", 86'400.0}};
  const auto unit = seconds.find(text.substr(end));
  return unit == seconds.end() ? text : format_rfc3339(WallClock().now() - from_seconds(number * unit->second));
}

SiteLogs::Parameters parameters_of(const Options& options) {
  SiteLogs::Parameters parameters;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) parameters[name] = value;
  };
  std::string services;
  for (const std::string& service : options.services) services += (services.empty() ? "" : ",") + service;
  add("service", services);
  add("level", options.level);
  add("correlation_id", options.correlation_id);
  add("text", options.text);
  add("from", instant_of(options.since));
  add("to", instant_of(options.until));
  return parameters;
}

SiteLogs open(const Options& options) {
  auto logs = SiteLogs::open(options.file, options.run_folder);
  if (!logs) stop(logs.error());
  return std::move(*logs);
}

Page find(SiteLogs& logs, const SiteLogs::Parameters& parameters) {
  auto page = logs.find(parameters);
  if (!page) stop(page.error().code == Errc::invalid_argument ? command::kWrongUsage : kFailed, page.error().message);
  return std::move(*page);
}

// As the keeper shows lines on a terminal, with colour for what matters.
std::string readable(const Json& found) {
  const Json& entry = found["entry"];
  const std::string level = entry["level"];
  const bool coloured = ::isatty(STDOUT_FILENO) == 1;
  const char* colour = level == "WARNING" ? "\033[33m" : level == "ERROR" || level == "CRITICAL" ? "\033[31m" : "";
  std::string line = std::format("{}  {}{:<8}{}  {:<16} {}", entry["timestamp"].get<std::string>(),
                                 coloured ? colour : "", level, coloured && *colour != 0 ? "\033[0m" : "",
                                 entry["service"].get<std::string>(), entry["message"].get<std::string>());
  if (entry.contains("attributes"))
    for (const auto& [name, value] : entry["attributes"].items())
      line += std::format("  {}={}", name, value.is_string() ? value.get<std::string>() : value.dump());
  if (entry.contains("correlation_id"))
    line += std::format("  correlation_id={}", entry["correlation_id"].get<std::string>());
  return line;
}

// Pages until there are `limit` entries, or no more.
std::vector<Json> gather(SiteLogs& logs, SiteLogs::Parameters parameters, std::size_t limit) {
  std::vector<Json> entries;
  while (entries.size() < limit) {
    parameters["limit"] = std::to_string(std::min<std::size_t>(limit - entries.size(), 1'000));
    Page page = find(logs, parameters);
    std::ranges::move(page.entries, std::back_inserter(entries));
    if (page.is_complete) break;
    parameters["next"] = std::to_string(page.next);
  }
  return entries;
}

void search(const Options& options) {
  SiteLogs logs = open(options);
  SiteLogs::Parameters parameters = parameters_of(options);
  parameters["order"] = options.oldest ? "oldest" : "newest";
  std::vector<Json> entries = gather(logs, parameters, options.limit);
  if (options.json) return std::println("{}", Json{{"entries", entries}}.dump(2));
  if (!options.oldest) std::ranges::reverse(entries);  // the newest stands last, above the prompt
  for (const Json& entry : entries) std::println("{}", readable(entry));
  if (entries.empty()) std::println(stderr, "no entry fits");
}

void follow(const Options& options) {
  catch_interrupts();
  SiteLogs logs = open(options);
  SiteLogs::Parameters parameters = parameters_of(options);
  parameters["order"] = "newest";
  std::vector<Json> entries = gather(logs, parameters, 10);
  std::ranges::reverse(entries);
  std::uint64_t next = entries.empty() ? 1 : entries.back()["sequence"].get<std::uint64_t>() + 1;
  parameters["order"] = "oldest";
  parameters["limit"] = "1000";
  while (true) {
    for (const Json& entry : entries) std::println("{}", options.json ? entry.dump() : readable(entry));
    std::fflush(stdout);
    if (interrupted()) return;
    parameters["next"] = std::to_string(next);
    Page page = find(logs, parameters);
    next = page.next;
    entries = std::move(page.entries);
    if (entries.empty() && page.is_complete) std::this_thread::sleep_for(kFollowEvery);
  }
}

std::string csv_of(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string exported(const Json& found, const std::string& format) {
  const Json& entry = found["entry"];
  if (format == "ndjson") return entry.dump();
  std::string line;
  for (const char* field : {"timestamp", "service", "level", "message", "correlation_id", "id"})
    line += csv_of(entry.value(field, "")) + ",";
  return line + csv_of(entry.contains("attributes") ? entry["attributes"].dump() : "");
}

// Everything, the oldest first, page by page: memory stays what it is.
void export_all(const Options& options) {
  SiteLogs logs = open(options);
  SiteLogs::Parameters parameters = parameters_of(options);
  parameters["order"] = "oldest";
  parameters["limit"] = "1000";
  std::ofstream file;
  if (!options.out.empty()) file.open(options.out, std::ios::trunc);
  if (!options.out.empty() && !file) stop(kFailed, std::format("cannot write {}", options.out.string()));
  std::ostream& out = options.out.empty() ? std::cout : file;
  if (options.format == "csv") out << "timestamp,service,level,message,correlation_id,id,attributes\n";
  std::uint64_t count = 0;
  while (true) {
    const Page page = find(logs, parameters);
    for (const Json& entry : page.entries) out << exported(entry, options.format) << "\n";
    count += page.entries.size();
    if (::isatty(STDERR_FILENO) == 1) std::print(stderr, "\r{} entries", count);
    if (page.is_complete) break;
    parameters["next"] = std::to_string(page.next);
  }
  out.flush();
  if (!out) stop(kFailed, std::format("cannot write {}: is its disk full?", options.out.string()));
  if (options.json)
    std::println(options.out.empty() ? stderr : stdout, "{}",
                 Json{{"entries", count}, {"file", options.out.string()}}.dump());
  else
    std::println(stderr, "{}{} entries", ::isatty(STDERR_FILENO) == 1 ? "\r" : "", count);
}

std::shared_ptr<Options> add_filters(CLI::App& verb) {
  auto options = std::make_shared<Options>();
  verb.footer(kExamples);
  verb.add_option("file", options->file, "The site's file")->required()->check(CLI::ExistingFile);
  verb.add_option("--service", options->services, "Only of these services; several are fine");
  verb.add_option("--level", options->level, "Of this level or above: debug, info, warning, error, critical");
  verb.add_option("--correlation-id", options->correlation_id, "Only of this call or decision");
  verb.add_option("--text", options->text, "With this in the message or the attributes, in either case");
  verb.add_option("--since", options->since, "Not before: an instant, or 2h, 7d ago");
  verb.add_option("--until", options->until, "Before");
  verb.add_option("--run-folder", options->run_folder,
                  "Where `rltune up` put the sockets; by default .rltune beside it");
  return options;
}

}  // namespace

void add_search_command(CLI::App& app) {
  CLI::App& verb = *app.add_subcommand("search", "Find what was logged");
  const auto options = add_filters(verb);
  verb.add_option("--limit", options->limit, "So many entries")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  verb.add_flag("--oldest", options->oldest, "The oldest that fit, instead of the newest");
  verb.add_flag("--json", options->json, "One JSON object on stdout");
  verb.callback([options] { search(*options); });
}

void add_follow_command(CLI::App& app) {
  CLI::App& verb = *app.add_subcommand("follow", "Show what is logged as it comes");
  const auto options = add_filters(verb);
  verb.add_flag("--json", options->json, "A JSON object a line on stdout");
  verb.callback([options] { follow(*options); });
}

void add_export_command(CLI::App& app) {
  CLI::App& verb = *app.add_subcommand("export", "Write what was logged to a file, the oldest first");
  const auto options = add_filters(verb);
  verb.add_option("--out", options->out, "The file; stdout without it");
  verb.add_option("--format", options->format, "ndjson or csv")
      ->check(CLI::IsMember({"ndjson", "csv"}))
      ->capture_default_str();
  verb.add_flag("--json", options->json, "How many they were, as one JSON object");
  verb.callback([options] { export_all(*options); });
}

}  // namespace rltune::log_app
