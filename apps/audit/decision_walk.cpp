#include <print>

#include "audit.hpp"
#include "rltune/audit/log.hpp"

namespace rltune::audit {
namespace {

constexpr std::size_t kPage = 1000;

}  // namespace

TimePoint parse_time(const std::string& text, const char* option, TimePoint otherwise) {
  if (text.empty()) return otherwise;
  const auto time = parse_rfc3339(text);
  if (!time) stop(kWrongUsage, std::string(option) + ": " + time.error().message);
  return *time;
}

void add_selection_options(CLI::App& command, Selection& selection) {
  command.add_option("--data", selection.data, "The site's data folder")->type_name("DIR")->required();
  command.add_option("--from", selection.from, "First instant of the site's clock, or a day")->type_name("TIME");
  command.add_option("--to", selection.to, "Instant after the last one")->type_name("TIME");
  command.add_option("--agent", selection.agent, "Of this agent alone");
  command.add_option("--origin", selection.origin, "policy, fallback or manual")
      ->check(CLI::IsMember({"policy", "fallback", "manual"}));
  command.add_option("--after", selection.after, "Go on after this decision")->type_name("ID");
}

std::filesystem::path decision_folder(const std::string& data) {
  const std::filesystem::path inside = std::filesystem::path(data) / "decisions";
  return std::filesystem::is_directory(inside) ? inside : std::filesystem::path(data);
}

void record_access(const std::string& data, const std::string& action, const std::string& target,
                   const Selection& selection) {
  Entry entry{.actor = command::user_name(), .action = action, .target = target};
  for (const auto& [name, value] : {std::pair{"from", &selection.from},
                                    {"to", &selection.to},
                                    {"agent", &selection.agent},
                                    {"origin", &selection.origin}})
    if (!value->empty()) entry.details.emplace_back(name, *value);
  // Of a copy that nobody may write, reading goes on: whoever holds the files holds what is in them.
  const std::filesystem::path decisions = decision_folder(data).lexically_normal();
  if (!std::filesystem::is_directory(decisions)) return;
  const auto folder = (decisions.filename() == "decisions" ? decisions.parent_path() : decisions) / "audit";
  if (auto done = append_once(folder, "cli", entry); !done)
    std::println(stderr, "rltune: this reading is not on record: {}", done.error().message);
}

void walk(const Selection& selection, const std::function<bool(const historian::Decision&)>& visit) {
  const TimePoint from = parse_time(selection.from, "--from", TimePoint::min());
  const TimePoint to = parse_time(selection.to, "--to", TimePoint::max());
  std::string after = selection.after;
  while (true) {
    const auto page = historian::read_decisions(decision_folder(selection.data), from, to, kPage, after);
    if (!page) stop(page.error());
    for (const historian::Decision& decision : *page) {
      if (!selection.agent.empty() && decision.agent != selection.agent) continue;
      if (!selection.origin.empty() && decision.origin != selection.origin) continue;
      if (!visit(decision)) return;
    }
    if (page->size() < kPage) return;
    after = page->back().id;
  }
}

}  // namespace rltune::audit
