// What training reaches: the default policy on a year it has not seen, and the published season.
//
// They need the weather of Bleiswijk 2014 (Kempkes et al. 2014, doi 10.17660/ActaHortic.2014.1037.6): RLTUNE_BLEISWIJK
// names the CSV file.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "./machine.mjs";

const kSeeds = [1, 2, 3, 4, 5];
const weather = process.env.RLTUNE_BLEISWIJK ?? join(import.meta.dirname, "../../shared/data/weather-bleiswijk-2014.csv.gz");

export const learningGroups = [
  {
    name: "learning",
    title: "The default policy on a year that it has not seen",
    long: true,
    run: unseen,
    note: "`policy train --plant lettuce`, seeds 1 to 5, on synthetic weather; then 20 seasons of the real year 2014 at " +
      "Bleiswijk with every parameter +-10 % a season and forecasts by persistence over 24 h, paired with the rule that was " +
      "tuned with as many simulated steps. Out of band: the policy's degree-hours, ppm-hours and %-hours over the rule's. " +
      "Blind replay: the first season's inputs, played on the other 19.",
  },
  {
    name: "published",
    title: "The published season",
    long: true,
    run: published,
    note: "Trained and scored on the benchmark season itself (van Laatum et al. 2026), seeds 1 to 5: with the published " +
      "observation of 12 numbers, and with 12 rows of the weather ahead, as the published SAC sees them. Published: PPO 2.36, " +
      "SAC 2.89, MPC with a perfect forecast 3.62. The season is one tape: these figures compare implementations, not " +
      "what a policy is worth elsewhere.",
  },
];

function rltune(bin, ...args) {
  const text = execFileSync(join(bin, "rltune"), ["policy", ...args, "--plant", "lettuce", "--json"],
    { encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "ignore"] });
  return JSON.parse(text);
}

function inFolder(work) {
  if (!existsSync(weather)) throw new Error(`${weather} is not there; RLTUNE_BLEISWIJK=FILE names it`);
  const folder = mkdtempSync(join(tmpdir(), "rltune-bench-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const once = (what, unit, value, more = {}) => ({ what, unit, value, low: value, high: value, ...more });

function unseen(bin) {
  return inFolder((folder) => kSeeds.flatMap((seed) => {
    const out = join(folder, String(seed));
    const trained = rltune(bin, "train", "--seed", String(seed), "--out", out);
    const tested = rltune(bin, "evaluate", "--controller", out, "--against", join(out, "baseline.yaml"),
      "--weather", weather, "--time-zone", "Europe/Amsterdam", "--episodes", "20", "--parameter-noise", "0.2", "--per", "episode",
      "--forecast", "persistence", "--forecast-hours", "24", "--seed", "11", "--blind-replay");
    const [low, high] = tested.gain.mean_interval;
    const rows = [
      { what: `seed ${seed}: gain over the tuned rule, 95 %`, unit: "EUR/m2", value: tested.gain.mean, low, high },
      once(`seed ${seed}: lower end of that`, "EUR/m2", low, { bound: 0, least: true }),
      once(`seed ${seed}: seasons better of ${tested.gain.seasons}`, "", tested.gain.wins)];
    tested.violations.forEach((one, i) => rows.push(once(`seed ${seed}: ${one.name} out of band over the rule's`, "",
      one.unit_hours / tested.against.violations[i].unit_hours, one.unit === "degC" ? { bound: 1 } : {})));
    rows.push(
      once(`seed ${seed}: what seeing gains over blind replay`, "EUR/m2", tested.blind_replay.gain_of_seeing.mean_interval[0],
        { bound: 0, least: true }),
      once(`seed ${seed}: training, tuning and examination`, "s", trained.seconds, { bound: 120 }));
    return rows;
  }));
}

function published(bin) {
  const season = ["--weather", weather, "--start", "2014-02-09", "--forecast", "perfect"];
  return inFolder((folder) => {
    const trained = (what, bound, leads, ...how) => {
      const runs = kSeeds.map((seed) => {
        const out = join(folder, String(seed));
        rmSync(out, { recursive: true, force: true });
        const { seconds } = rltune(bin, "train", ...season, "--parameter-noise", "0", "--forecast-leads", String(leads), "--no-margins",
          "--no-validation", "--seed", String(seed), "--out", out, ...how);
        return { seconds, total: rltune(bin, "evaluate", "--controller", out, ...season).return };
      });
      const totals = runs.map((run) => run.total), seconds = runs.map((run) => run.seconds);
      return [
        { what: `${what}: return`, unit: "EUR/m2", value: median(totals), low: Math.min(...totals), high: Math.max(...totals),
          bound, least: true },
        { what: `${what}: training`, unit: "s", value: median(seconds), low: Math.min(...seconds), high: Math.max(...seconds) }];
    };
    return [
      ...trained("PPO, 12 numbers, 8M steps", 2.36, 0, "--steps", "8000000"),
      ...trained("PPO, with 12 rows ahead, 8M steps", 2.89, 12, "--steps", "8000000"),
      ...trained("SAC, with 12 rows ahead", 2.89, 12, "--algorithm", "sac", "--threads", "1"),
      once("MPC, perfect forecast, horizon 12: return", "EUR/m2", rltune(bin, "evaluate", "--controller", "mpc", ...season).return),
    ];
  });
}
