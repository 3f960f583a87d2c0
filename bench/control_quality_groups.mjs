// How well the process plants are run, in closed loop and with noise: policies trained around the nominal plant, examined
// on set-points and parameters that are moved by 10 %, beside a PID and predictive control that `controller tune` tuned.
// Two commands run at a time.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { source } from "./measure.mjs";

const kEvaluationSeed = 7;
const start = promisify(execFile);

const kTracking = "PPO with the plant's defaults, trained around the nominal plant (parameters and set-points normally distributed " +
  "by 4 %). Moved: all parameters named in docs/plants.md within +-10 %, drawn anew each episode; corners: each of them at exactly " +
  "+10 or -10 %; noise on. The PID is tuned on the moved plant itself, for 1.5 million steps; predictive control for as long as the " +
  "longest training took, on two cores. Gains are paired, over 500 episodes, with their 95 % interval.";

export const controlQualityGroups = [
  { name: "cstr", title: "CSTR in closed loop, moved by 10 %", run: cstr, note: kTracking },
  { name: "four-tank", title: "Quadruple tank in closed loop, moved by 10 %", run: fourTank, note: kTracking },
  { name: "reactor", title: "A reactor with a limit, behind the guard", run: reactor,
    note: "dompc-cstr with noise, behind the guard of examples/reactor-site, in the nine corners of its two uncertain parameters, two " +
      "episodes each. PPO with the plant's defaults, trained on the whole range; predictive control is tuned on two cores for as long as " +
      "the longest training took, five minutes at least." },
  { name: "industrial", title: "The Industrial Benchmark under a drifting load", run: industrial,
    note: "PPO with the plant's defaults, beside holding the inputs; gains are paired, over 50 episodes, with their 95 % interval." },
].map((group) => ({ ...group, long: true, run: (bin, how) => inFolder(bin, how, group.run) }));

// Runs the tasks, two at a time, and gives their results in order.
async function inPairs(tasks) {
  const results = new Array(tasks.length);
  let next = 0;
  const work = async () => {
    while (next < tasks.length) {
      const mine = next++;
      results[mine] = await tasks[mine]();
    }
  };
  await Promise.all([work(), work()]);
  return results;
}

async function inFolder(bin, { seeds = 5 } = {}, run) {
  const folder = mkdtempSync(join(tmpdir(), "rltune-bench-"));
  const rltune = async (...args) => JSON.parse((await start(join(bin, "rltune"), [...args, "--json"], { maxBuffer: 1 << 28 })).stdout);
  const bench = { rltune, folder, numbers: Array.from({ length: seeds }, (_, i) => i + 1) };
  try {
    return await run(bench);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// ---- worlds -----------------------------------------------------------------------------------------------

// A world's file: each parameter and set-point by this distribution of factors.
function world({ folder }, name, plant, { parameters = [], factor, setpoints = [], noise = {}, exogenous }) {
  const lines = ["schema: rltune/randomisation/v1", `plant: ${plant}`];
  if (parameters.length > 0) lines.push(`parameters: {${parameters.map((one) => `${one}: ${factor}`).join(", ")}}`);
  if (Object.keys(noise).length > 0)
    lines.push(`sensor_noise: {${Object.entries(noise).map(([one, relative]) => `${one}: {relative: ${relative}}`).join(", ")}}`);
  if (setpoints.length > 0) lines.push(`exogenous: {${setpoints.map((one) => `${one}: {factor: ${factor}}`).join(", ")}}`);
  if (exogenous) lines.push(`exogenous: ${exogenous}`);
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, lines.join("\n") + "\n");
  return file;
}

const kNormal = "{normal: [1, 0.04]}", kMoved = "{uniform: [0.9, 1.1]}", kCorner = "{either: [0.9, 1.1]}";

const within = (file) => ["--parameter-noise", "0", ...(file ? ["--randomisation", file] : [])];
const once = (what, unit, value, more = {}) => ({ what, unit, value, low: value, high: value, ...more });

// ---- pieces -----------------------------------------------------------------------------------------------

function train(bench, plant, file, seed) {
  const out = join(bench.folder, `${plant}-${seed}`);
  return async () => ({ out, ...await bench.rltune("policy", "train", "--plant", plant, ...within(file), "--seed", String(seed),
    "--threads", "1", "--no-validation", "--out", out) });
}

function evaluate(bench, plant, file, controller, episodes, ...how) {
  return () => bench.rltune("policy", "evaluate", "--plant", plant, "--controller", controller, ...within(file), "--episodes",
    String(episodes), "--seed", String(kEvaluationSeed), "--workers", "1", ...how);
}

// Within so many steps and seconds of search, whichever end first.
function tune(bench, plant, file, controller, { steps, seconds = 86400, seasons, workers = 1, start = {} }) {
  const out = join(bench.folder, `${plant}-${controller}.yaml`);
  return async () => ({ out, ...await bench.rltune("controller", "tune", "--plant", plant, "--controller", controller, ...within(file),
    "--budget", String(steps), "--time-limit", String(seconds), "--seasons-per-candidate", String(seasons),
    "--workers", String(workers), "--out", out, ...params(start)) });
}

const params = (values) => Object.entries(values).flatMap(([name, value]) => ["--param", `${name}=${value}`]);

// Policies, PID and MPC of one plant, all of them made before anything is examined. Predictive control's parameters are
// searched for as long as the longest training took, or longer, on two cores; choosing among the best comes on top.
async function makers(bench, plant, worlds, start, seasons, secondsMin = 0) {
  const pid = tune(bench, plant, worlds.moved, "pid", { steps: 1.5e6, seasons: 20 });
  const [tunedPid, ...policies] = await inPairs([pid, ...bench.numbers.map((seed) => train(bench, plant, worlds.train, seed))]);
  const seconds = Math.max(secondsMin, ...policies.map((one) => one.seconds));
  const mpc = await tune(bench, plant, worlds.moved, "mpc", { steps: 1e6, seconds, seasons, workers: 2, start })();
  return { pid: tunedPid, mpc, policies };
}

function efforts(plant, { pid, mpc, policies }) {
  return [once(`${plant}: PID tuned in`, "s", pid.seconds), once(`${plant}: MPC tuned in`, "s", mpc.seconds),
    { what: `${plant}: a policy trained in`, unit: "s", value: Math.max(...policies.map((one) => one.seconds)),
      low: Math.min(...policies.map((one) => one.seconds)), high: Math.max(...policies.map((one) => one.seconds)) }];
}

function gainRow(what, figures, bound) {
  const [low, high] = figures.gain.mean_interval;
  return [{ what: `${what}: gain over the PID, 95 %`, unit: "", value: figures.gain.mean, low, high },
    once(`${what}: lower end of that`, "", low, bound ? { bound: 0, least: true } : {})];
}

// ---- plants -----------------------------------------------------------------------------------------------

async function tracking(bench, plant, worlds, start, nominalBound, gainBound) {
  const made = await makers(bench, plant, worlds, start, 1);
  const rows = efforts(plant, made);
  const jobs = made.policies.flatMap((policy) => [
    evaluate(bench, plant, undefined, policy.out, 1),
    evaluate(bench, plant, worlds.moved, policy.out, 500, "--against", made.pid.out),
    evaluate(bench, plant, worlds.corners, policy.out, 500, "--against", made.pid.out)]);
  const classical = [made.pid.out, made.mpc.out].flatMap((controller) => [evaluate(bench, plant, undefined, controller, 1),
    evaluate(bench, plant, worlds.moved, controller, 20), evaluate(bench, plant, worlds.corners, controller, 20)]);
  const found = await inPairs([...jobs, ...classical]);
  bench.numbers.forEach((seed, i) => {
    const [nominal, moved, corners] = found.slice(3 * i, 3 * i + 3);
    const what = `${plant}, seed ${seed}`;
    rows.push(once(`${what}: published task, noise-free`, "", nominal.return, { bound: nominalBound, least: true }),
      once(`${what}: moved`, "", moved.return), ...gainRow(`${what}, moved`, moved, gainBound),
      once(`${what}: corners`, "", corners.return), ...gainRow(`${what}, corners`, corners, false));
  });
  ["PID", "MPC"].forEach((name, i) => {
    const [nominal, moved, corners] = found.slice(jobs.length + 3 * i, jobs.length + 3 * i + 3);
    rows.push(once(`${plant}, ${name}: published task, noise-free`, "", nominal.return),
      once(`${plant}, ${name}: moved, 20 episodes`, "", moved.return), once(`${plant}, ${name}: corners, 20 episodes`, "", corners.return));
  });
  return rows;
}

function cstr(bench) {
  const shape = { parameters: ["q", "k0", "UA", "deltaHr"], setpoints: ["concentration_setpoint"],
    noise: { concentration: 0.001, temperature: 0.001 } };
  const of = (name, factor) => world(bench, `cstr-${name}`, "cstr", { ...shape, factor });
  return tracking(bench, "cstr", { train: of("train", kNormal), moved: of("moved", kMoved), corners: of("corners", kCorner) },
    { horizon: 6, population: 12, iterations: 2, gradient_steps: 2, elites: 4 }, -25, true);
}

function fourTank(bench) {
  const shape = { parameters: ["gamma_1", "gamma_2", "k1", "k2", "a1", "a2", "a3", "a4"],
    setpoints: ["level_3_setpoint", "level_4_setpoint"], noise: { level_1: 0.05, level_2: 0.05, level_3: 0.05, level_4: 0.05 } };
  const of = (name, factor) => world(bench, `four-tank-${name}`, "four-tank", { ...shape, factor });
  return tracking(bench, "four-tank", { train: of("train", kNormal), moved: of("moved", kMoved), corners: of("corners", kCorner) },
    { horizon: 12, population: 16, iterations: 2, gradient_steps: 2, elites: 4 }, -2, false);
}

async function reactor(bench) {
  const noise = { concentration_a: 0.005, concentration_b: 0.005, reactor_temperature: 0.001, jacket_temperature: 0.001 };
  const plant = "dompc-cstr", guard = ["--guard", join(source, "examples/reactor-site/site.yaml")];
  const file = join(bench.folder, "reactor.yaml");
  const write = (path, alpha, beta) => writeFileSync(path, `schema: rltune/randomisation/v1\nplant: ${plant}\n` +
    `parameters: {alpha: {uniform: [${alpha}]}, beta: {uniform: [${beta}]}}\n` +
    `sensor_noise: {${Object.entries(noise).map(([one, relative]) => `${one}: {relative: ${relative}}`).join(", ")}}\n`);
  write(file, "0.95, 1.05", "0.9, 1.1");
  const made = await makers(bench, plant, { train: file, moved: file },
    { horizon: 30, population: 64, iterations: 6, gradient_steps: 4, elites: 8 }, 1, 300);
  const corners = [0.95, 1, 1.05].flatMap((alpha) => [0.9, 1, 1.1].map((beta) => {
    const path = join(bench.folder, `reactor-${alpha}-${beta}.yaml`);
    write(path, `${alpha}, ${alpha}`, `${beta}, ${beta}`);
    return path;
  }));
  const controllers = [made.mpc.out, ...made.policies.map((one) => one.out)];
  const found = await inPairs(controllers.flatMap((controller) =>
    corners.map((path) => evaluate(bench, plant, path, controller, 2, ...guard))));
  // The tracking term is -10 |Cb - 0.6|, summed over the steps.
  const judged = controllers.map((_, i) => {
    const nine = found.slice(9 * i, 9 * i + 9);
    const sum = (value) => nine.reduce((all, one) => all + value(one), 0);
    return { error: sum((one) => -one.terms.tracking / 10 / one.season_steps) / 9, hot: sum((one) => one.violations[0].steps),
      guarded: sum((one) => one.guard.intervened) };
  });
  const [mpc, ...policies] = judged;
  return [...efforts(plant, made),
    once(`${plant}, MPC: mean |Cb - 0.6|, nine corners`, "mol/l", mpc.error), once(`${plant}, MPC: steps above 140 degC`, "", mpc.hot),
    once(`${plant}, MPC: decisions that the guard changed, of 1800`, "", mpc.guarded),
    ...policies.flatMap((one, i) => [
      once(`${plant}, seed ${i + 1}: mean |Cb - 0.6|, nine corners`, "mol/l", one.error, { bound: 1.2 * mpc.error }),
      once(`${plant}, seed ${i + 1}: steps above 140 degC`, "", one.hot, { bound: 0 }),
      once(`${plant}, seed ${i + 1}: decisions that the guard changed, of 1800`, "", one.guarded)])];
}

async function industrial(bench) {
  const plant = "industrial-benchmark";
  const file = world(bench, "industrial", plant,
    { exogenous: "{setpoint: {offset: {uniform: [-40, 50]}, drift: {steps: [1, 99], slope: {uniform: [-1, 1]}, flat: 0.1}}}" });
  const policies = await inPairs(bench.numbers.map((seed) => train(bench, plant, file, seed)));
  const found = await inPairs(policies.map((one) => evaluate(bench, plant, file, one.out, 50, "--against", "hold")));
  return found.flatMap((one, i) => [once(`${plant}, seed ${i + 1}, drifting load: return`, "", one.return),
    once(`${plant}, hold: return`, "", one.against.return), { what: `${plant}, seed ${i + 1}: lower end of the gain over hold`, unit: "",
      value: one.gain.mean_interval[0], low: one.gain.mean_interval[0], high: one.gain.mean_interval[1], bound: 0, least: true }]);
}
