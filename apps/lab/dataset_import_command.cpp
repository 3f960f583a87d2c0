// rltune dataset import: from files of others, and from what a site recorded.
#include <format>
#include <memory>
#include <print>

#include "common.hpp"
#include "dataset_commands.hpp"
#include "rltune/config/site.hpp"
#include "rltune/experience/records.hpp"
#include "rltune/policy/artifact.hpp"

namespace rltune::lab {
namespace {

struct ImportOptions {
  std::string file, out;
  std::string decision_log, historian;  // site.yaml
  std::string agent, policy, reward, from, to;
  std::vector<std::string> costs;
  experience::RecordsOptions records;
  bool json = false;
};

const config::Agent& find_agent(const config::Site& site, const std::string& name) {
  if (name.empty() && site.agents.size() == 1) return site.agents.front();
  std::string names;
  for (const config::Agent& agent : site.agents) {
    if (agent.id == name) return agent;
    names += (names.empty() ? "" : ", ") + agent.id;
  }
  stop(kWrongUsage, name.empty() ? std::format("the site has several agents; give --agent: {}", names)
                                 : std::format("the site has no agent '{}'; it has {}", name, names));
}

void set_reward(const ImportOptions& options, config::Agent& agent) {
  if (!options.reward.empty()) {
    agent.learning.reward = options.reward;
    agent.learning.costs.clear();
  }
  for (const std::string& cost : options.costs) {
    const std::size_t equals = cost.find('=');
    if (equals == std::string::npos || equals == 0)
      stop(kWrongUsage, std::format("--cost wants NAME=EXPRESSION, not '{}'", cost));
    agent.learning.costs[cost.substr(0, equals)] = cost.substr(equals + 1);
  }
  if (agent.learning.reward.empty())
    stop(kWrongUsage,
         std::format("agent {} has no learning.reward in its site; say what is wanted with --reward", agent.id));
}

TimePoint time_of(const std::string& text, TimePoint otherwise) {
  return text.empty() ? otherwise : or_stop(parse_rfc3339(text));
}

dataset::Dataset import_records(const ImportOptions& options) {
  const bool decisions = !options.decision_log.empty();
  const config::Site site = or_stop(config::load_site(decisions ? options.decision_log : options.historian));
  config::Agent agent = find_agent(site, options.agent);
  set_reward(options, agent);
  const policy::Artifact artifact = or_stop(policy::load_artifact(
      options.policy.empty() ? site.folder / agent.policy : std::filesystem::path(options.policy)));
  experience::RecordsOptions records = options.records;
  records.from = time_of(options.from, records.from);
  records.to = time_of(options.to, records.to);
  experience::Gathered gathered = or_stop(decisions ? experience::decisions_dataset(site, agent, artifact, records)
                                                    : experience::history_dataset(site, agent, artifact, records));
  std::println(stderr, "{} {}; {} not to learn from{}", gathered.rows, decisions ? "decisions" : "periods",
               gathered.not_learnable,
               gathered.of_other_policies > 0
                   ? std::format("; {} by other weights than the artifact's, left out (--any-policy takes them)",
                                 gathered.of_other_policies)
                   : "");
  return std::move(gathered.dataset);
}

void import_command(const ImportOptions& options) {
  const int sources = !options.file.empty() + !options.decision_log.empty() + !options.historian.empty();
  if (sources != 1) stop(kWrongUsage, "give one source: FILE, --decision-log SITE or --historian SITE");
  const dataset::Dataset data = options.file.empty() ? import_records(options) : or_stop(dataset::read(options.file));
  or_stop(dataset::save(data, options.out));
  tell(data, options.json);
}

void add_record_options(CLI::App& command, ImportOptions& options, const std::vector<CLI::Option*>& sources) {
  const auto add = [&](CLI::Option* option) { option->excludes(sources.front())->group("Records of a site"); };
  add(command.add_option("--agent", options.agent, "Which agent's; may be left out where there is one"));
  add(command.add_option("--policy", options.policy, "What observations and actions are; the agent's by default")
          ->type_name("DIR"));
  add(command.add_option("--reward", options.reward, "Expression over tags, instead of the site's learning.reward")
          ->type_name("EXPRESSION"));
  add(command.add_option("--cost", options.costs, "A part that is subtracted; may be repeated")
          ->type_name("NAME=EXPRESSION")
          ->expected(1)
          ->take_all());
  add(command.add_option("--from", options.from, "From this time on, on the site's clock")->type_name("TIME"));
  add(command.add_option("--to", options.to, "Before this time")->type_name("TIME"));
  add(command.add_option("--newest", options.records.newest, "At most so many decisions: they are in memory")
          ->check(CLI::Range(1, 100'000'000))
          ->capture_default_str());
  add(command.add_flag("--any-policy", options.records.any_policy,
                       "Also what other weights than the artifact's decided: learnt on site, or of one before it"));
}

}  // namespace

void add_dataset_import_command(CLI::App& dataset) {
  const auto options = std::make_shared<ImportOptions>();
  CLI::App& command = *dataset.add_subcommand(
      "import", "Read Minari (HDF5), CSV or a site's records, check them, keep them as a data set of ours");
  CLI::Option* const file =
      command.add_option("FILE", options->file, "Minari's folder or main_data.hdf5, or a CSV file with a header");
  command.add_option("--decision-log", options->decision_log, "What the agent of a site decided and what came of it")
      ->type_name("SITE.YAML");
  command.add_option("--historian", options->historian, "A site's samples, whoever set the outputs")
      ->type_name("SITE.YAML");
  command.add_option("--out", options->out, "Where it goes")->required()->type_name("FILE");
  command.add_flag("--json", options->json, "One JSON object on stdout");
  add_record_options(command, *options, {file});
  command.footer(
      "CSV columns: episode, obs:NAME, act:NAME or act:NAME[LOW,HIGH] or choice, reward, terminated.\n"
      "Examples:\n  rltune dataset import ~/.minari/datasets/pendulum/expert-v0 --out expert.dataset\n"
      "  rltune dataset import shift.csv --out shift.dataset\n"
      "  rltune dataset import --decision-log site.yaml --out season.dataset\n"
      "  rltune dataset import --historian site.yaml --reward \"-abs(level - 5)\" --from 2026-03-01T00:00:00Z "
      "--out shift.dataset");
  command.callback([options] { import_command(*options); });
}

}  // namespace rltune::lab
