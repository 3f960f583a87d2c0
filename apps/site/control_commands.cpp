// rltune site mode|write|hold|status FILE: calls to the io role of a running site.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <format>
#include <memory>
#include <nlohmann/json.hpp>
#include <print>

#include "rltune/audit/log.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/damage.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/guard/guard.hpp"
#include "rltune/v1/control.pb.h"
#include "rltune/v1/supervision.pb.h"
#include "site.hpp"

namespace rltune::site {
namespace {

using nlohmann::ordered_json;
constexpr std::chrono::milliseconds kRolesPatience(500);

struct ControlOptions {
  std::filesystem::path file, run_folder;
  std::string mode, tag, reason;
  double value = 0.0, timeout_s = 5.0;
  bool yes = false, json = false, tags = false;
};

// The io role of the site of a file: `rltune up` puts its sockets beside the file.
class Io {
 public:
  explicit Io(const ControlOptions& options) : options_(options), site_(load(options.file)) {
    const auto beside = std::filesystem::absolute(options.file).parent_path() / ".rltune";
    folder_ = options.run_folder.empty() ? beside : std::filesystem::absolute(options.run_folder);
    endpoint_ = bus::call_endpoint(folder_.string(), "io");
    auto client = bus::Client::connect(endpoint_);
    if (!client) stop(client.error());
    client_.emplace(std::move(*client));
  }

  const config::Site& site() const noexcept { return site_; }

  // As coredinator sees them; none where io runs without it.
  v1::RolesAnswer roles() {
    auto coredinator = bus::Client::connect(bus::call_endpoint(folder_.string(), "coredinator"));
    if (!coredinator) return {};
    const auto answer =
        coredinator->call<v1::RolesAnswer>("coredinator.Roles", "coredinator", v1::RolesRequest(), kRolesPatience);
    return answer ? *answer : v1::RolesAnswer();
  }

  template <typename Answer, typename Request>
  Answer call(const std::string& method, const Request& request) {
    const auto timeout = std::chrono::milliseconds(static_cast<std::int64_t>(options_.timeout_s * 1e3));
    auto answer = client_->call<Answer>(method, "io", request, timeout, command::correlation_id());
    if (answer) return std::move(*answer);
    if (answer.error().code == Errc::timeout || answer.error().code == Errc::disconnected)
      stop(kFailed, std::format("site {} does not answer at {}; is it running? Start it with: rltune up {}", site_.name,
                                endpoint_, options_.file.string()));
    if (answer.error().code == Errc::denied)
      stop(kFailed, std::format("{}: rltune site mode {} manual", answer.error().message, options_.file.string()));
    stop(answer.error());
  }

 private:
  const ControlOptions& options_;
  config::Site site_;
  std::filesystem::path folder_;
  std::string endpoint_;
  std::optional<bus::Client> client_;
};

ordered_json number(double value) { return std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr); }

v1::ModeAnswer change_mode(Io& io, const ControlOptions& options, const std::string& mode) {
  v1::ModeRequest request;
  request.set_mode(mode);
  request.set_user(command::user_name());
  request.set_reason(options.reason);
  return io.call<v1::ModeAnswer>("io.Mode", request);
}

// `was`: the mode before; empty where it was only asked for.
void print_mode(const Io& io, const std::string& was, const v1::ModeAnswer& answer, bool json) {
  if (json) {
    ordered_json out{{"site", io.site().name}, {"mode", answer.mode()}};
    out["was"] = was.empty() ? ordered_json(nullptr) : ordered_json(was);
    out["refused"] = answer.refused().empty() ? ordered_json(nullptr) : ordered_json(answer.refused());
    std::println("{}", out.dump(2));
  } else if (answer.refused().empty()) {
    const bool changed = !was.empty() && was != answer.mode();
    std::println("{}: {}{}", io.site().name, answer.mode(),
                 changed        ? std::format(" (was {})", was)
                 : !was.empty() ? ", as before"
                                : "");
  }
  if (!answer.refused().empty())
    stop(kFailed, std::format("refused: {}; the mode stays {}", answer.refused(), answer.mode()));
}

std::string mode_of(Io& io) { return io.call<v1::ModeAnswer>("io.Mode", v1::ModeRequest()).mode(); }

void mode(const ControlOptions& options) {
  if (!options.mode.empty())
    if (const auto known = guard::parse_mode(options.mode); !known) stop(kWrongUsage, known.error().message);
  Io io(options);
  const std::string was = mode_of(io);
  if (options.mode.empty()) {
    v1::ModeAnswer answer;
    answer.set_mode(was);
    return print_mode(io, {}, answer, options.json);
  }
  const bool automatic = *guard::parse_mode(options.mode) == guard::Mode::automatic;
  if (automatic) {
    std::string outputs;
    for (const config::OutputRule& rule : io.site().guard.outputs) outputs += (outputs.empty() ? "" : ", ") + rule.tag;
    confirm(std::format("The agents of {} will write {}. Go on?", io.site().name, outputs), options.yes);
  }
  print_mode(io, was, change_mode(io, options, options.mode), options.json);
}

// Nothing is written any more: every output stays where it is.
void hold(const ControlOptions& options) {
  Io io(options);
  const std::string was = mode_of(io);
  print_mode(io, was, change_mode(io, options, "manual"), options.json);
  if (options.json) return;
  std::println("Every output stays where it is. A value by hand: rltune site write {} OUTPUT VALUE",
               options.file.string());
  if (was != "manual") std::println("Back to what was: rltune site mode {} {}", options.file.string(), was);
}

const config::OutputRule& rule_of(const config::Site& site, const std::string& tag) {
  const auto found = std::ranges::find(site.guard.outputs, tag, &config::OutputRule::tag);
  if (found != site.guard.outputs.end()) return *found;
  std::string names;
  for (const config::OutputRule& rule : site.guard.outputs) names += (names.empty() ? "" : ", ") + rule.tag;
  stop(kWrongUsage, std::format("'{}' is not an output of {}; there are {}", tag, site.name, names));
}

// What a person makes of the guard's words.
std::string in_words(std::uint32_t reasons) {
  using guard::Reason;
  struct Words {
    Reason reason;
    const char* text;
  };
  constexpr Words kWords[] = {{Reason::limit_low, "it is below the lower limit"},
                              {Reason::limit_high, "it is above the upper limit"},
                              {Reason::rate, "it may not change so much at once"},
                              {Reason::not_finite, "it is no number"},
                              {Reason::minimum_on_time, "it has to stay on for longer"},
                              {Reason::minimum_off_time, "it has to stay off for longer"},
                              {Reason::starts_per_hour, "it was started too often this hour"},
                              {Reason::interlock, "an interlock has tripped"},
                              {Reason::bad_input, "a tag that an interlock needs is bad"},
                              {Reason::stale_input, "a tag that an interlock needs is stale"},
                              {Reason::mode, "the mode does not allow it"},
                              {Reason::not_owner, "it belongs to its agent"},
                              {Reason::dcs_took_over, "the control system has taken it"},
                              {Reason::link_down, "the plant does not answer; 'rltune site status' says why"}};
  std::string text;
  for (const Words& words : kWords)
    if ((reasons & static_cast<std::uint32_t>(words.reason)) != 0)
      text += (text.empty() ? "" : ", ") + std::string(words.text);
  return text.empty() ? guard::describe(reasons) : text;
}

void print_write(const ControlOptions& options, const v1::WriteAnswer& answer, const std::string& unit) {
  const v1::OutputVerdict& verdict = answer.verdict();
  const std::string why = in_words(verdict.reasons());
  const std::string stands = std::format("{} {:g} {}", verdict.written() ? "=" : "stays", verdict.applied(), unit);
  std::println("{} {}: {}{}{}", options.tag, stands, guard::to_string(static_cast<guard::Action>(verdict.action())),
               answer.verified() ? ", read back from the plant" : "",
               why.empty() ? "" : std::format("; {:g} was asked, and {}", options.value, why));
}

void write(const ControlOptions& options) {
  if (!std::isfinite(options.value)) stop(kWrongUsage, "the value must be a finite number");
  Io io(options);
  const config::OutputRule& rule = rule_of(io.site(), options.tag);
  const std::string unit = io.site().tags[*io.site().find_tag(options.tag)].unit;
  confirm(std::format("Write {} = {} {} to the plant (limits {} to {})?", options.tag, options.value, unit,
                      rule.limits.low, rule.limits.high),
          options.yes);
  v1::WriteRequest request;
  request.set_tag(options.tag);
  request.set_value(options.value);
  request.set_user(command::user_name());
  request.set_reason(options.reason);
  const auto answer = io.call<v1::WriteAnswer>("io.Write", request);
  const v1::OutputVerdict& verdict = answer.verdict();
  if (options.json) {
    std::println("{}", ordered_json{{"tag", options.tag},
                                    {"asked", options.value},
                                    {"applied", number(verdict.applied())},
                                    {"unit", unit},
                                    {"action", guard::to_string(static_cast<guard::Action>(verdict.action()))},
                                    {"reasons", guard::describe(verdict.reasons())},
                                    {"written", verdict.written()},
                                    {"verified", answer.verified()}}
                           .dump(2));
  } else {
    print_write(options, answer, unit);
  }
  if (!verdict.written()) stop(kFailed, "nothing was written");
  if (!answer.verified()) stop(kFailed, "written, but the plant does not show the value");
}

const char* to_text(std::uint32_t quality) {
  constexpr const char* kQualities[] = {"good", "uncertain", "bad"};
  return quality < 3 ? kQualities[quality] : "unknown";
}

template <typename Value>
std::map<std::string, Value> sorted(const google::protobuf::Map<std::string, Value>& map) {
  std::map<std::string, Value> sorted;
  for (const auto& [name, value] : map) sorted.emplace(name, value);
  return sorted;
}

TimePoint time_of(std::int64_t unix_ns) { return TimePoint(Duration(unix_ns)); }

ordered_json circuits_json(const auto& circuits) {
  ordered_json out = ordered_json::object();
  for (const v1::Circuit& circuit : circuits)
    out[circuit.to()] = {
        {"state", circuit.state()}, {"openings", circuit.openings()}, {"failures", circuit.failures()}};
  return out;
}

ordered_json to_json(const v1::RolesAnswer& roles) {
  ordered_json out = ordered_json::object();
  for (const v1::RoleState& role : roles.roles())
    out[role.name()] = {{"state", role.state()},
                        {"reason", role.reason()},
                        {"process", role.pid()},
                        {"restarts", role.restarts()},
                        {"endpoint", role.endpoint().empty() ? ordered_json(nullptr) : ordered_json(role.endpoint())},
                        {"circuits", circuits_json(role.circuits())}};
  return out;
}

// Only what is worth a look: who is not asked for a while because it does not answer.
void print_circuits(const std::string& from, const auto& circuits) {
  for (const v1::Circuit& circuit : circuits)
    if (circuit.state() != "closed")
      std::println("{:<12} circuit to {} {}: {} failures", from, circuit.to(), circuit.state(), circuit.failures());
}

void print_roles(const v1::RolesAnswer& roles) {
  for (const v1::RoleState& role : roles.roles())
    std::println("{:<12} {}{}{}{}", role.name(), role.state(), role.reason().empty() ? "" : ": " + role.reason(),
                 role.restarts() > 0 ? std::format(", started again {} times", role.restarts()) : "",
                 role.endpoint().empty() ? "" : std::format(", http://{}/healthcheck", role.endpoint()));
  for (const v1::RoleState& role : roles.roles()) print_circuits(role.name(), role.circuits());
  print_circuits("coredinator", roles.circuits());
}

ordered_json to_json(const config::Site& site, const v1::IoStatusAnswer& status) {
  ordered_json out{
      {"site", site.name},
      {"mode", status.mode()},
      {"agents", status.agent_state()},
      {"link", {{"state", status.link_state()}, {"reason", status.link_reason()}, {"reconnects", status.reconnects()}}},
      {"samples", status.samples()},
      {"decisions", status.decisions()}};
  out["verdicts"] = sorted(status.verdicts());
  out["latency_us"] = sorted(status.latency_us());
  out["trouble"] = status.trouble().empty() ? ordered_json(nullptr) : ordered_json(status.trouble());
  out["tags"] = ordered_json::array();
  for (const v1::Sample& sample : status.latest().samples()) {
    if (sample.tag() >= site.tags.size()) continue;
    out["tags"].push_back({{"name", site.tags[sample.tag()].name},
                           {"element", sample.element()},
                           {"value", number(sample.value())},
                           {"unit", site.tags[sample.tag()].unit},
                           {"quality", to_text(sample.quality())},
                           {"source_time", format_rfc3339(time_of(sample.source_unix_ns()))}});
  }
  return out;
}

void print_status(const config::Site& site, const v1::IoStatusAnswer& status, bool with_tags) {
  std::println("{:<12} {}", "site", site.name);
  std::println("{:<12} {}", "mode", status.mode());
  std::println("{:<12} {}{}", "link", status.link_state(),
               status.link_reason().empty() ? "" : ": " + status.link_reason());
  std::println("{:<12} {}", "reconnects", status.reconnects());
  std::println("{:<12} {}", "agents", status.agent_state());
  std::println("{:<12} {}", "samples", status.samples());
  std::println("{:<12} {}", "decisions", status.decisions());
  for (const auto& [action, count] : sorted(status.verdicts())) std::println("  {:<10} {}", action, count);
  for (const auto& [name, latency] : sorted(status.latency_us())) std::println("  {:<20} {:>10.1f} us", name, latency);
  if (!status.trouble().empty()) std::println("{:<12} {}", "trouble", status.trouble());
  if (!with_tags) return;
  for (const v1::Sample& sample : status.latest().samples()) {
    if (sample.tag() >= site.tags.size() || sample.element() > 0) continue;
    const config::Tag& tag = site.tags[sample.tag()];
    std::println("  {:<28} {:>14.6g} {:<10} {:<9} {}", tag.name, sample.value(), tag.unit, to_text(sample.quality()),
                 format_rfc3339(time_of(sample.source_unix_ns())));
  }
}

// Whoever reads the plant's values stands on record.
void record_access(const config::Site& site) {
  const audit::Entry entry{.actor = command::user_name(),
                           .action = "tags.read",
                           .target = site.name,
                           .correlation_id = command::correlation_id()};
  if (auto done = audit::append_once(site.folder / site.storage.folder / "audit", "cli", entry); !done)
    std::println(stderr, "rltune: this reading is not on record: {}", done.error().message);
}

std::vector<std::filesystem::path> kept_damaged(const config::Site& site) {
  return put_aside_in((site.folder / site.storage.folder).lexically_normal());
}

void status(const ControlOptions& options) {
  Io io(options);
  const auto answer = io.call<v1::IoStatusAnswer>("io.Status", v1::IoStatusRequest());
  if (options.tags || options.json) record_access(io.site());
  const v1::RolesAnswer roles = io.roles();
  if (options.json) {
    ordered_json out = to_json(io.site(), answer);
    out["roles"] = to_json(roles);
    out["circuits"] = circuits_json(roles.circuits());
    out["damaged"] = ordered_json::array();
    for (const auto& kept : kept_damaged(io.site())) out["damaged"].push_back(kept.string());
    return std::println("{}", out.dump(2));
  }
  print_roles(roles);
  for (const auto& kept : kept_damaged(io.site())) std::println("{:<12} {}", "damaged", kept.string());
  print_status(io.site(), answer, options.tags);
}

CLI::App& add(CLI::App& app, const std::string& verb, const std::string& about,
              const std::shared_ptr<ControlOptions>& options, void (*run)(const ControlOptions&)) {
  CLI::App& command = *app.add_subcommand(verb, about);
  command.add_option("file", options->file, "The site's file")->required()->check(CLI::ExistingFile);
  command.add_option("--run-folder", options->run_folder,
                     "Where `rltune up` put the sockets; by default .rltune beside the file");
  command.add_option("--timeout", options->timeout_s, "Longest wait for an answer, seconds")
      ->check(CLI::Range(0.01, 600.0))
      ->capture_default_str();
  command.add_flag("--json", options->json, "One JSON object on stdout");
  command.callback([options, run] { run(*options); });
  return command;
}

void add_reason(CLI::App& command, const std::shared_ptr<ControlOptions>& options) {
  command.add_option("--reason", options->reason, "Why, for the record")->type_name("TEXT");
}

void add_yes(CLI::App& command, const std::shared_ptr<ControlOptions>& options) {
  command.add_flag("-y,--yes", options->yes, "Do not ask");
}

}  // namespace

void add_control_commands(CLI::App& app) {
  auto options = std::make_shared<ControlOptions>();
  CLI::App& mode_verb = add(app, "mode", "Show or change who writes the outputs", options, mode);
  mode_verb.add_option("mode", options->mode,
                       "manual, shadow, advisory or automatic (auto); without it the mode is shown");
  add_reason(mode_verb, options);
  add_yes(mode_verb, options);
  mode_verb.footer(
      "Examples:\n  rltune site mode site.yaml\n  rltune site mode site.yaml automatic --yes --reason 'shadow ran well "
      "for a week'");

  options = std::make_shared<ControlOptions>();
  CLI::App& write_verb = add(app, "write", "Write one output, within the guard's rules", options, write);
  write_verb.add_option("tag", options->tag, "The output")->required();
  write_verb.add_option("value", options->value, "In the tag's unit")->required()->check(CLI::Number);
  add_reason(write_verb, options);
  add_yes(write_verb, options);
  write_verb.footer(
      "In automatic mode outputs belong to their agents: change the mode to manual first.\n"
      "Example:\n  rltune site write site.yaml heating 60 --yes --reason 'frost tonight'");

  options = std::make_shared<ControlOptions>();
  CLI::App& hold_verb = add(app, "hold", "Stop writing at once: every output stays where it is", options, hold);
  add_reason(hold_verb, options);
  hold_verb.footer(
      "The mode becomes manual; the answer says how to go back. Example:\n  rltune site hold site.yaml --reason 'the "
      "vents make a noise'");

  options = std::make_shared<ControlOptions>();
  CLI::App& status_verb = add(app, "status", "What a running site does", options, status);
  status_verb.add_flag("--tags", options->tags, "With the latest value of every tag");
  status_verb.footer("Examples:\n  rltune site status site.yaml --tags\n  rltune site status site.yaml --json");
}

}  // namespace rltune::site
