#include "plan.hpp"

namespace rltune::coredinator {
namespace {

// At an orderly stop the highest goes first: a learner's checkpoint needs its agent no more, an agent needs
// io to the end, and what they say at the end is kept.
constexpr int kTelemetryOrder = 3, kHeadsOrder = 5, kIoOrder = 10, kAgentOrder = 20, kLearnerOrder = 30,
              kGatewayOrder = 40;
// Learning never takes the loop's time: beside busy threads of equal priority an exchange of 0.1 ms grows to
// 5 ms, beside nice 19 to 0.17 ms. Short of memory, it goes first and io last.
constexpr int kLearnerNice = 19, kLearnerOom = 800, kIoOom = -500, kTelemetryNice = 5, kTelemetryOom = 300,
              kGatewayNice = 2, kGatewayOom = 500;

Planned role(const std::string& name, int order, const Options& options) {
  Planned planned;
  planned.spec.set_name(name);
  planned.spec.set_order(order);
  for (const std::string& word : {(options.executables / ("rltune-" + kind_of(name))).string(), std::string("--site"),
                                  options.site.string(), std::string("--run-folder"), options.run_folder.string()})
    planned.spec.add_command(word);
  return planned;
}

Planned of_instance(const std::string& kind, const config::Agent& agent, const Deployed& deployed, int order,
                    const Options& options) {
  Planned planned = role(kind + "." + deployed.instance, order, options);
  planned.stopped = deployed.stopped;
  planned.spec.add_command("--agent");
  planned.spec.add_command(agent.id);
  if (deployed.artifact.empty()) return planned;
  for (const std::string& word :
       {std::string("--instance"), deployed.instance, std::string("--artifact"), deployed.artifact.string()})
    planned.spec.add_command(word);
  return planned;
}

}  // namespace

std::string kind_of(const std::string& role) { return role.substr(0, role.find('.')); }

Planned plan_io(const Options& options) {
  Planned io = role("io", kIoOrder, options);
  io.vital = true;
  io.spec.set_oom_score_adjust(kIoOom);
  return io;
}

Planned plan_heads(const config::Site& site, const Options& options) {
  Planned heads;
  heads.mute = true;
  heads.spec.set_name("heads");
  heads.spec.set_order(kHeadsOrder);
  heads.spec.set_nice(kLearnerNice);
  heads.spec.set_oom_score_adjust(kLearnerOom);
  for (const std::string& word :
       {(options.executables / "rltune-audit").string(), std::string("heads"),
        (site.folder / site.storage.folder).string(), std::string("--to"),
        (site.folder / site.storage.audit_heads).string(), std::string("--every"), std::string("10")})
    heads.spec.add_command(word);
  return heads;
}

Planned plan_telemetry(const Options& options) {
  Planned telemetry = role("telemetry", kTelemetryOrder, options);
  telemetry.spec.set_nice(kTelemetryNice);
  telemetry.spec.set_oom_score_adjust(kTelemetryOom);
  return telemetry;
}

Planned plan_gateway(const Options& options) {
  Planned gateway = role("gateway", kGatewayOrder, options);
  gateway.spec.set_nice(kGatewayNice);
  gateway.spec.set_oom_score_adjust(kGatewayOom);
  return gateway;
}

std::vector<Planned> plan_instance(const config::Agent& agent, const Deployed& deployed, const Options& options) {
  std::vector<Planned> roles{of_instance("agent", agent, deployed, kAgentOrder, options)};
  roles[0].waits_for = "io";
  if (!agent.learning.enabled || !deployed.active) return roles;
  Planned learner = of_instance("learner", agent, deployed, kLearnerOrder, options);
  learner.waits_for = roles[0].spec.name();
  learner.spec.set_nice(kLearnerNice);
  learner.spec.set_oom_score_adjust(kLearnerOom);
  learner.spec.add_environment("OPENBLAS_NUM_THREADS=1");
  learner.spec.add_environment("OMP_NUM_THREADS=1");
  roles.push_back(std::move(learner));
  return roles;
}

Planned plan_evaluation(const config::Agent& agent, const Evaluation& evaluation, const Options& options) {
  // As the site's policies are judged after training: each season's parameters and weather are its own.
  constexpr const char *kParameterNoise = "0.2", *kSeed = "1";
  Planned planned;
  planned.once = true;
  planned.spec.set_once(true);
  planned.spec.set_name("evaluation." + evaluation.instance);
  planned.spec.set_order(kLearnerOrder);
  planned.spec.set_nice(kLearnerNice);
  planned.spec.set_oom_score_adjust(kLearnerOom);
  for (const std::string& word : {(options.executables / "rltune-lab").string(),
                                  std::string("policy"),
                                  std::string("evaluate"),
                                  std::string("--plant"),
                                  agent.plant,
                                  std::string("--controller"),
                                  evaluation.artifact.string(),
                                  std::string("--against"),
                                  evaluation.against.string(),
                                  std::string("--guard"),
                                  options.site.string(),
                                  std::string("--episodes"),
                                  std::to_string(evaluation.seasons),
                                  std::string("--parameter-noise"),
                                  std::string(kParameterNoise),
                                  std::string("--per"),
                                  std::string("episode"),
                                  std::string("--forecast"),
                                  std::string("persistence"),
                                  std::string("--seed"),
                                  std::string(kSeed),
                                  std::string("--workers"),
                                  std::string("1"),
                                  std::string("--out"),
                                  evaluation.result.string(),
                                  std::string("--fail-if-worse")})
    planned.spec.add_command(word);
  return planned;
}

}  // namespace rltune::coredinator
