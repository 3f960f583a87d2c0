// rltune audit replay --data DIR --policy DIR [ID | --all] [--from T --to T --agent A] [--json]
#include <memory>
#include <nlohmann/json.hpp>
#include <print>
#include <set>

#include "audit.hpp"
#include "rltune/replay/replay.hpp"

namespace rltune::audit {
namespace {

using nlohmann::ordered_json;
using replay::Difference;
using replay::digits;
using replay::PolicyShelf;
using replay::ReplayOutcome;
using replay::ReplayResult;

constexpr std::size_t kDifferencesShown = 100;

struct ReplayOptions {
  Selection selection;
  std::vector<std::string> policies;
  std::string id;
  bool all = false;
  bool json = false;
};

struct Totals {
  std::uint64_t decisions = 0, same = 0, different = 0, not_policy = 0, held = 0, unknown = 0;
  std::set<std::string> unknown_reasons;
  ordered_json differences = ordered_json::array();
};

void note_difference(const historian::Decision& decision, const ReplayResult& result, Totals& totals) {
  if (totals.differences.size() >= kDifferencesShown) return;
  ordered_json values = ordered_json::array();
  for (const Difference& difference : result.differences)
    values.push_back({{"what", difference.what},
                      {"recorded", digits(difference.recorded)},
                      {"computed", digits(difference.computed)}});
  totals.differences.push_back({{"id", decision.id},
                                {"time", format_rfc3339(decision.time)},
                                {"agent", decision.agent},
                                {"policy_sha256", decision.policy_sha256},
                                {"reason", result.reason},
                                {"values", std::move(values)}});
}

void note(const historian::Decision& decision, const ReplayResult& result, Totals& totals) {
  ++totals.decisions;
  switch (result.outcome) {
    case ReplayOutcome::same:
      ++totals.same;
      break;
    case ReplayOutcome::not_policy:
      ++totals.not_policy;
      break;
    case ReplayOutcome::held:
      ++totals.held;
      break;
    case ReplayOutcome::unknown:
      ++totals.unknown;
      totals.unknown_reasons.insert(result.reason);
      break;
    case ReplayOutcome::different:
      ++totals.different;
      note_difference(decision, result, totals);
      break;
  }
}

void print(const Totals& totals, bool json) {
  if (json) {
    const ordered_json object{{"decisions", totals.decisions},
                              {"same", totals.same},
                              {"different", totals.different},
                              {"not_by_a_policy", totals.not_policy},
                              {"held", totals.held},
                              {"unknown_policy", totals.unknown},
                              {"unknown_reasons", totals.unknown_reasons},
                              {"differences", totals.differences}};
    return std::println("{}", object.dump(2));
  }
  for (const ordered_json& difference : totals.differences) {
    std::println("{}  {}  {}: NOT the same {}", difference["time"].get<std::string>(),
                 difference["id"].get<std::string>(), difference["agent"].get<std::string>(),
                 difference["reason"].get<std::string>());
    for (const ordered_json& value : difference["values"])
      std::println("    {}: recorded {}, computed {}", value["what"].get<std::string>(),
                   value["recorded"].get<std::string>(), value["computed"].get<std::string>());
  }
  for (const std::string& reason : totals.unknown_reasons) std::println("{}", reason);
  std::println(
      "{} decisions: {} the same to the last bit, {} different, {} of an unknown policy, {} held, {} not by a policy",
      totals.decisions, totals.same, totals.different, totals.unknown, totals.held, totals.not_policy);
}

void replay_command(const ReplayOptions& options) {
  if (options.all == !options.id.empty()) stop(kWrongUsage, "give the ID of one decision, or --all");
  const std::filesystem::path folder = decision_folder(options.selection.data);
  record_access(options.selection.data, "decisions.replay", options.id, options.selection);
  std::vector<std::filesystem::path> artifacts(options.policies.begin(), options.policies.end());
  auto shelf = PolicyShelf::open(
      artifacts, {std::filesystem::path(options.selection.data) / "policies", folder.parent_path() / "policies"});
  if (!shelf) stop(shelf.error());
  Totals totals;
  if (options.all) {
    walk(options.selection, [&](const historian::Decision& decision) {
      note(decision, replay::replay(decision, *shelf), totals);
      return true;
    });
  } else {
    const auto decision = historian::find_decision(folder, options.id);
    if (!decision) stop(decision.error());
    note(*decision, replay::replay(*decision, *shelf), totals);
  }
  print(totals, options.json);
  if (totals.different > 0 || totals.unknown > 0) throw Exit{kFailed};
}

}  // namespace

void add_replay_command(CLI::App& app) {
  const auto options = std::make_shared<ReplayOptions>();
  CLI::App& command = *app.add_subcommand("replay", "Compute decisions again and compare every bit");
  command.add_option("id", options->id, "One decision");
  command.add_flag("--all", options->all, "Every one that the other options select");
  command
      .add_option("--policy", options->policies,
                  "Folder of a policy; may be repeated. Weights learned on the site are found in its data folder")
      ->type_name("DIR")
      ->expected(1)
      ->take_all()
      ->required();
  add_selection_options(command, options->selection);
  command.add_flag("--json", options->json, "One JSON object on stdout");
  command.footer(
      "Exit status 1 when a decision differs, or its policy is not at hand.\n\n"
      "Examples:\n"
      "  rltune audit replay --data site/data --policy policies/lettuce --all\n"
      "  rltune audit replay --data site/data --policy policies/lettuce 0190a5e2-1c7c-7cc0-8000-6d1d2f0a1b2c");
  command.callback([options] { replay_command(*options); });
}

}  // namespace rltune::audit
