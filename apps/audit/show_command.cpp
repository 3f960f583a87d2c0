// rltune audit show --data DIR [ID] [--from T --to T --agent A --origin O --after ID --limit N] [--json]
#include <memory>
#include <nlohmann/json.hpp>
#include <print>

#include "audit.hpp"

namespace rltune::audit {
namespace {

using nlohmann::ordered_json;

struct ShowOptions {
  Selection selection;
  std::string id;
  std::size_t limit = 50;
  bool json = false;
};

void show_one(const ShowOptions& options) {
  const auto decision = historian::find_decision(decision_folder(options.selection.data), options.id);
  if (!decision) stop(decision.error());
  const ordered_json object = to_json(*decision, true);
  if (options.json) return std::println("{}", object.dump(2));
  print_text(*decision);
  for (const char* field : {"policy_sha256", "correlation_id", "wall_time", "timings_us", "observation",
                            "previous_inputs", "network_output"})
    std::println("    {:<24} {}", field, object[field].dump());
}

void show_list(const ShowOptions& options) {
  ordered_json list = ordered_json::array();
  std::size_t count = 0;
  bool more = false;
  std::string last;
  walk(options.selection, [&](const historian::Decision& decision) {
    if (count == options.limit) {
      more = true;
      return false;
    }
    ++count;
    last = decision.id;
    if (options.json)
      list.push_back(to_json(decision, false));
    else
      print_text(decision);
    return true;
  });
  if (options.json) {
    ordered_json object{{"decisions", std::move(list)}, {"count", count}, {"more", more}};
    object["next_after"] = more ? ordered_json(last) : ordered_json(nullptr);
    return std::println("{}", object.dump(2));
  }
  if (count == 0) std::println(stderr, "no decision in this range");
  if (more) std::println(stderr, "there are more: --after {}", last);
}

}  // namespace

void add_show_command(CLI::App& app) {
  const auto options = std::make_shared<ShowOptions>();
  CLI::App& command = *app.add_subcommand("show", "Decisions, ascending by time, or one of them whole");
  command.add_option("id", options->id, "One decision");
  add_selection_options(command, options->selection);
  command.add_option("--limit", options->limit, "At most so many")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command.add_flag("--json", options->json, "One JSON object on stdout");
  command.footer(
      "Examples:\n"
      "  rltune audit show --data site/data --from 2026-01-02 --agent climate --limit 20\n"
      "  rltune audit show --data site/data 0190a5e2-1c7c-7cc0-8000-6d1d2f0a1b2c --json");
  command.callback([options] {
    record_access(options->selection.data, "decisions.show", options->id, options->selection);
    options->id.empty() ? show_list(*options) : show_one(*options);
  });
}

}  // namespace rltune::audit
