#include "rltune/polling/target.hpp"

#include <format>
#include <nlohmann/json.hpp>

#include "rltune/base/file.hpp"
#include "rltune/base/metric_name.hpp"

namespace rltune::polling {
namespace {

using nlohmann::json;

constexpr std::size_t kTargetsMax = 1000, kTextMax = 256;

std::unexpected<Error> faulty(std::size_t group, std::string_view what) {
  return fail(Errc::parse, std::format("targets, group {}: {}", group, what));
}

bool is_short_text(const json& value) {
  return value.is_string() && value.get_ref<const std::string&>().size() <= kTextMax;
}

Result<std::map<std::string, std::string>> labels_of(const json& group, std::size_t number) {
  std::map<std::string, std::string> labels{{"job", "rltune"}};
  const auto given = group.find("labels");
  if (given == group.end()) return labels;
  if (!given->is_object() || given->size() > 10) return faulty(number, "its labels are no object of at most 10");
  for (const auto& [name, value] : given->items()) {
    if (!is_label_name(name) || name.size() > kTextMax || name.starts_with("__") || !is_short_text(value))
      return faulty(number, "its labels should be names and short texts");
    labels[name] = value.get<std::string>();
  }
  return labels;
}

// "host:port" without anything that would make a URL mean something else.
bool is_address(const json& value) {
  if (!is_short_text(value)) return false;
  const auto& text = value.get_ref<const std::string&>();
  return text.contains(':') &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") ==
             std::string::npos;
}

}  // namespace

Result<std::vector<Target>> parse_targets(std::string_view text) {
  const json document = json::parse(text, nullptr, false);
  if (!document.is_array()) return fail(Errc::parse, "targets: no JSON array of groups");
  std::vector<Target> targets;
  for (std::size_t i = 0; i < document.size(); ++i) {
    const json& group = document[i];
    if (!group.is_object() || !group.contains("targets") || !group["targets"].is_array())
      return faulty(i + 1, "no object with an array 'targets'");
    auto labels = labels_of(group, i + 1);
    if (!labels) return std::unexpected(labels.error());
    for (const json& address : group["targets"]) {
      if (!is_address(address)) return faulty(i + 1, "a target is no host:port");
      if (targets.size() == kTargetsMax) return faulty(i + 1, std::format("more than {} targets", kTargetsMax));
      Target& target = targets.emplace_back("http://" + address.get<std::string>() + "/metrics", *labels);
      target.labels.insert_or_assign("instance", address.get<std::string>());
    }
  }
  return targets;
}

Result<std::vector<Target>> read_targets(const std::filesystem::path& run_folder) {
  const auto text = read_file(run_folder / "targets.json");
  if (!text) return std::unexpected(text.error());
  return parse_targets(*text);
}

std::vector<Target> targets_of(const config::Polling& polling, const std::string& site) {
  std::vector<Target> targets;
  for (const config::ScrapeTarget& target : polling.targets)
    targets.push_back({target.url, {{"job", target.name}, {"instance", target.name}, {"site", site}}});
  return targets;
}

}  // namespace rltune::polling
