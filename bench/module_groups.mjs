// The benchmarks that stand beside the modules: which executable, and which of its figures count. A row's `of` is
// the benchmark's name, its `figure` a counter or the time of an iteration ("time"), in `unit`. `bound`: at most,
// or with `least` at least.
const ns = { figure: "time", unit: "ns" };
const us = { figure: "time", unit: "us" };
const rate = (of, what, figure = "steps/s") => ({ of, what, figure, unit: figure, more_is_better: true });

const inference = [
  { of: "infer/relu_4_64_64_2", what: "4-64-64-2, ReLU", ...ns, bound: 50_000 },
  { of: "infer/tanh_4_64_64_2", what: "4-64-64-2, tanh", ...ns, bound: 50_000 },
  { of: "infer/relu_20_64_64_3", what: "20-64-64-3, ReLU", ...ns, bound: 50_000 },
  { of: "infer/relu_23_256_256_3", what: "23-256-256-3, ReLU", ...ns, bound: 50_000 },
];

export const moduleGroups = [
  {
    name: "inference",
    title: "Inference, one observation at a time",
    bench: "policy_network_bench",
    variants: [
      { label: "plain x86-64", env: { RLTUNE_ISA: "baseline" } },
      { label: "v3", env: { RLTUNE_ISA: "v3" } },
      { label: "AVX-512", env: { RLTUNE_ISA: "avx512" } },
    ],
    same: "bits",
    rows: inference,
  },
  {
    name: "latency",
    title: "Single decisions, 4-64-64-2 with normalisation and clip",
    note: "Each timed by itself; the clock's own time is taken off. The output is clipped, as PPO leaves it; squashed: " +
      "ReLU, and tanh of the output, as SAC and TD3 leave it.",
    bench: "policy_network_bench",
    rows: ["relu", "tanh", "squashed"].flatMap((kind) => {
      const of = `decide/${kind}_4_64_64_2/iterations:5`;
      const row = (what, figure, bound) => ({ of, what: `${kind}: ${what}`, figure, unit: "ns", bound });
      return [row("mean", "mean_ns", kind === "tanh" ? 200 : 150), row("p50", "p50_ns"), row("p99", "p99_ns"),
        row("p99.9", "p99_9_ns", 1000)];
    }),
  },
  {
    name: "decision",
    title: "What a decision is made of",
    benches: ["decider_bench", "pipeline_bench", "guard_bench", "expression_bench", "bus_bench"],
    rows: [
      { of: "decide", what: "samples judged, observation made, policy asked", ...us, bound: 50 },
      { of: "add_and_judge/30", what: "pipeline: 30 tags taken and judged", ...us },
      { of: "add_and_judge/300", what: "pipeline: 300 tags taken and judged", ...us },
      { of: "verdict/3", what: "guard: verdict over 3 outputs, 1 interlock", ...us, bound: 20 },
      { of: "verdict/20", what: "guard: verdict over 20 outputs, 10 interlocks", ...us, bound: 20 },
      { of: "evaluate/interlock", what: "expression: an interlock", ...ns },
      { of: "evaluate/reward", what: "expression: a reward", ...ns },
      { of: "BM_call/iterations:5000/real_time", what: "bus: call and answer over a Unix socket, p50", figure: "p50_us", unit: "us" },
      { of: "BM_call/iterations:5000/real_time", what: "bus: call and answer over a Unix socket, p99", figure: "p99_us", unit: "us" },
    ],
  },
  {
    name: "door",
    title: "What a call pays at the gateway's door",
    note: "From the request to its handler, each call timed by itself: correlation id, limits of address, account and operation, who " +
      "calls, session, permission.",
    bench: "door_bench",
    rows: [
      ...[["a_call_with_a_token_seen_before", "a token seen before", 25], ["a_call_with_a_new_token", "a new token", 300]].flatMap(
        ([name, what, bound]) => {
          const of = `${name}/iterations:5000/real_time`;
          return [{ of, what: `${what}: p50`, figure: "p50_us", unit: "us" },
            { of, what: `${what}: p99`, figure: "p99_us", unit: "us", bound },
            { of, what: `${what}: p99 of the processor's own time`, figure: "p99_processor_us", unit: "us" }];
        }),
      { of: "an_answer_of_10_kib_is_packed", what: "an answer of 10 KiB of samples is packed with gzip, level 1", ...us },
    ],
  },
  {
    name: "plants",
    title: "Plant steps a second, one thread",
    bench: "env_bench",
    rows: [
      { ...rate("classic_step/cartpole/1024", "CartPole, 1024 instances, random actions, resets"), bound: 150e6, least: true },
      { ...rate("classic_step/pendulum/1024", "Pendulum, 1024 instances, random actions, resets"), bound: 120e6, least: true },
      rate("classic_step/acrobot/1024", "Acrobot, 1024 instances, random actions, resets"),
      rate("classic_step/mountain_car/1024", "MountainCar, 1024 instances, random actions, resets"),
      rate("classic_step/mountain_car_continuous/1024", "MountainCarContinuous, 1024 instances, random actions, resets"),
      rate("model_step/lettuce/1024", "lettuce, equations alone, 1024 instances"),
      rate("model_step/cstr/64", "CSTR, equations alone, 64 instances"),
      rate("model_step/four_tank/64", "quadruple tank, equations alone, 64 instances"),
      rate("environment_step/lettuce/64", "lettuce, environment with weather, 64 instances"),
      rate("environment_step/lettuce_forecast_12/64", "the same with 12 forecast leads"),
      rate("environment_step/cstr/64", "CSTR, environment, 64 instances"),
      rate("environment_step/four_tank/64", "quadruple tank, environment, 64 instances"),
    ],
  },
  {
    name: "training",
    title: "Training steps a second",
    note: "Two threads need two idle cores: the load tells whether they had them.",
    bench: "training_bench",
    rows: ["ppo_lettuce_1_thread", "ppo_lettuce_2_threads", "sac_lettuce_1_thread", "sac_lettuce_2_threads"].flatMap(
      (name) => {
        const [algorithm, , threads] = name.split("_");
        const what = `${algorithm.toUpperCase()}, lettuce, ${threads} thread${threads === "1" ? "" : "s"}`;
        const of = `train/${name}/min_time:3.000/real_time`;
        return [rate(of, `${what}: transitions`), rate(of, `${what}: gradient steps`, "updates/s")];
      }),
  },
  {
    name: "stores",
    title: "Stores",
    bench: "historian_bench",
    rows: [
      { of: "samples_appended/iterations:3000/real_time", what: "historian: io's loop hands 30 samples over", ...us },
      rate("samples_committed/min_time:2.000/real_time", "historian: durable commits of 500 samples", "commits/s"),
      rate("samples_committed/min_time:2.000/real_time", "historian: samples", "samples/s"),
      { of: "decision_appended/iterations:5000/real_time", what: "decision log: io's loop hands a record over", ...us },
      rate("decisions_committed/min_time:2.000/real_time", "decision log: durable records", "decisions/s"),
    ],
  },
];
