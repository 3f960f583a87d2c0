// rltune dataset show, and what the verbs of data sets say of one.
#include "dataset_commands.hpp"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <print>

#include "common.hpp"
#include "rltune/base/statistics.hpp"

namespace rltune::lab {
namespace {

using dataset::Dataset;
using nlohmann::ordered_json;

ordered_json described(const env::Space& space) {
  ordered_json list = ordered_json::array();
  for (const env::Variable& variable : space)
    list.push_back({{"name", variable.name}, {"unit", variable.unit}, {"low", variable.low}, {"high", variable.high}});
  return list;
}

void print_space(const char* title, const env::Space& space) {
  std::println("\n{}", title);
  for (const env::Variable& variable : space)
    std::println("  {:<24} {:>12.6g} .. {:<12.6g} {}", variable.name, variable.low, variable.high, variable.unit);
}

void print_text(const Dataset& data) {
  const std::vector<double> returns = dataset::returns(data);
  std::println("{}: {} in {}", data.name, counted(data.transitions(), "transition"),
               counted(data.episodes.size(), "episode"));
  std::println("return: mean {:.4g}, interquartile mean {:.4g}, from {:.4g} to {:.4g}", mean(returns),
               interquartile_mean(returns), std::ranges::min(returns), std::ranges::max(returns));
  print_space("observation", data.observation);
  if (data.discrete_actions > 0)
    std::println("\naction: one of {}", data.discrete_actions);
  else
    print_space("action", data.action);
  if (data.metadata.empty()) return;
  std::println("\nmetadata");
  for (const auto& [name, text] : data.metadata) std::println("  {:<24} {}", name, text);
}

}  // namespace

ordered_json described(const Dataset& data) {
  const std::vector<double> returns = dataset::returns(data);
  const auto terminated = std::ranges::count_if(data.episodes, [](const auto& episode) { return episode.terminated; });
  ordered_json object{{"name", data.name},
                      {"episodes", data.episodes.size()},
                      {"transitions", data.transitions()},
                      {"terminated", terminated},
                      {"discrete_actions", data.discrete_actions},
                      {"return",
                       {{"mean", mean(returns)},
                        {"interquartile_mean", interquartile_mean(returns)},
                        {"lowest", std::ranges::min(returns)},
                        {"highest", std::ranges::max(returns)}}},
                      {"observation", described(data.observation)},
                      {"action", described(data.action)}};
  for (const auto& [name, text] : data.metadata) object["metadata"][name] = text;
  return object;
}

void tell(const Dataset& data, bool json) {
  if (json) return print_json(described(data));
  print_text(data);
}

void add_dataset_show_command(CLI::App& dataset) {
  struct Options {
    std::string file;
    bool json = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App& command = *dataset.add_subcommand("show", "Check a data set and say what is in it");
  command.add_option("FILE", options->file, "One of ours, Minari's or CSV")->required();
  command.add_flag("--json", options->json, "One JSON object on stdout");
  command.footer("Example:\n  rltune dataset show expert.dataset");
  command.callback([options] { tell(or_stop(dataset::read(options->file)), options->json); });
}

}  // namespace rltune::lab
