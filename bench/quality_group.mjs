// What the algorithms reach on the classic tasks with the defaults of src/rl/defaults.cpp, beside the returns that
// rl-baselines3-zoo published: single runs, which its authors call no quantitative benchmark.
import { execFileSync } from "node:child_process";
import { join } from "node:path";

// Steps are the published run's, except that TD3 on MountainCarContinuous makes do with a third of its 300,000.
const published = [
  ["cartpole", "ppo", 100_000, 500], ["cartpole", "dqn", 50_000, 500],
  ["acrobot", "ppo", 1_000_000, -73.5], ["acrobot", "dqn", 100_000, -76.6],
  ["pendulum", "ppo", 100_000, -172], ["pendulum", "sac", 20_000, -157], ["pendulum", "td3", 20_000, -152],
  ["mountain-car-continuous", "ppo", 20_000, 88.3], ["mountain-car-continuous", "sac", 50_000, 94.7],
  ["mountain-car-continuous", "td3", 100_000, 93.5],
  ["mountain-car", "ppo", 1_000_000, -110.4], ["mountain-car", "dqn", 120_000, -100.8],
];

export const qualityGroup = {
  name: "quality",
  title: "Returns on the classic tasks",
  long: true,
  run: quality,
  note: "Median over seeds (10; `--seeds N`), each trained to its last step and examined over 100 episodes of its own; the spread " +
    "is the 95 % bootstrap interval of the interquartile mean (Agarwal et al. 2021). The bound is what rl-baselines3-zoo " +
    "published for as many steps (TD3 on MountainCarContinuous: for 300,000). Pendulum's episodes spread by +-90, the mean " +
    "of 100 of them by +-9.",
};

function quality(bin, { seeds = 10 } = {}) {
  return published.map(([task, algorithm, steps, bound]) => {
    const text = execFileSync(join(bin, "rl_bench"), ["quality", task, algorithm, String(steps), String(seeds)],
      { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
    const { median, low, high } = JSON.parse(text);
    return { what: `${algorithm} on ${task}, ${steps} steps`, unit: "", value: median, low, high, bound, least: true };
  });
}
