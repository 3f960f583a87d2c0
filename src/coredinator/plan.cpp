#include "plan.hpp"

namespace rltune::coredinator {
namespace {

// At an orderly stop the highest goes first: a learner's checkpoint needs its agent no more, an agent needs
// io to the end.
constexpr int kIoOrder = 10, kAgentOrder = 20, kLearnerOrder = 30;
// Learning never takes the loop's time: beside busy threads of equal priority an exchange of 0.1 ms grows to
// 5 ms, beside nice 19 to 0.17 ms. Short of memory, it goes first and io last.
constexpr int kLearnerNice = 19, kLearnerOom = 800, kIoOom = -500;

Planned role(const std::string& name, int order, const Options& options) {
  Planned planned;
  planned.spec.set_name(name);
  planned.spec.set_order(order);
  for (const std::string& word : {(options.executables / ("rltune-" + kind_of(name))).string(), std::string("--site"),
                                  options.site.string(), std::string("--run-folder"), options.run_folder.string()})
    planned.spec.add_command(word);
  return planned;
}

Planned of_agent(const std::string& kind, const std::string& id, int order, const Options& options) {
  Planned planned = role(kind + "." + id, order, options);
  planned.spec.add_command("--agent");
  planned.spec.add_command(id);
  return planned;
}

}  // namespace

std::string kind_of(const std::string& role) { return role.substr(0, role.find('.')); }

std::vector<Planned> plan(const config::Site& site, const Options& options) {
  std::vector<Planned> roles{role("io", kIoOrder, options)};
  roles[0].vital = true;
  roles[0].spec.set_oom_score_adjust(kIoOom);
  for (const config::Agent& agent : site.agents) {
    Planned planned = of_agent("agent", agent.id, kAgentOrder, options);
    planned.waits_for = "io";
    roles.push_back(std::move(planned));
    if (!agent.learning.enabled) continue;
    Planned learner = of_agent("learner", agent.id, kLearnerOrder, options);
    learner.waits_for = "agent." + agent.id;
    learner.spec.set_nice(kLearnerNice);
    learner.spec.set_oom_score_adjust(kLearnerOom);
    learner.spec.add_environment("OPENBLAS_NUM_THREADS=1");
    learner.spec.add_environment("OMP_NUM_THREADS=1");
    roles.push_back(std::move(learner));
  }
  return roles;
}

Result<std::string> resolve(const std::vector<Planned>& roles, std::string_view target) {
  std::string known;
  for (const Planned& planned : roles) {
    const std::string& name = planned.spec.name();
    if (name == target || name == "agent." + std::string(target)) return name;
    known += (known.empty() ? "" : ", ") + name;
  }
  return fail(Errc::not_found, "no role or agent '" + std::string(target) + "'; there are " + known);
}

}  // namespace rltune::coredinator
