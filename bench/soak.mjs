// soak.mjs [TIME]: whole sites under random kills for that long. soak.mjs coredinator [--short]: the versions of an agent
// switched, bad, and killed at every step. soak.mjs telemetry [--short]: the telemetry role killed, offline for a day, and
// its buffer on a disk that fails. soak.mjs keys | live [--short]: the gateway's keys rotated under load, its live values watched
// for an hour. A verdict, and build/bench/soak*.json.
//
// Exit status: 0 passed, 1 failed, 2 wrong usage.
import { bin, measure, print } from "./measure.mjs";
import { crashSchedules } from "./crash_schedules.mjs";
import { coredinatorGroup, keysGroup, liveGroup, soakGroup, telemetryGroup } from "./soak_group.mjs";
import { part, sitePart } from "./system_groups.mjs";

function usage() {
  process.stderr.write(`Usage: ./dev soak [TIME]
       ./dev soak coredinator [--short]
       ./dev soak telemetry [--short]
       ./dev soak keys | live [--short]

  TIME         hours, or minutes as in 15m; 1 hour by default, 1m at least
  coredinator  36 crashes, 1,000 switches between versions, 100 bad versions, 48 kills; --short: 3, 30, 10 and 16, in
               three minutes
  telemetry    10,000 kills, a day offline, 1,000,000 schedules of the crash model; --short: 50, ten minutes of that day,
               2,000, in a minute
  keys         1,000 rotations of the gateway's signing keys under load, in ten minutes; --short: 20, in a quarter of one
  live         200 clients that watch 500 tags at 10 Hz for an hour; --short: a minute

Examples:
  ./dev soak
  ./dev soak 15m
  ./dev soak coredinator --short
  ./dev soak telemetry --short
  ./dev soak keys
`);
  process.exit(2);
}

function sites(time) {
  const match = /^([0-9]+(?:\.[0-9]+)?)([hm]?)$/.exec(time);
  const seconds = match ? Number(match[1]) * (match[2] === "m" ? 60 : 3600) : 0;
  if (!match || seconds < 60) usage();
  return [{ ...soakGroup, command: `./dev soak ${time}` }, () => [
    ...sitePart(bin, "soak-live", seconds / 2),
    ...sitePart(bin, "soak-lockstep", 0.45 * seconds),
    ...sitePart(bin, "soak-guard", 0.05 * seconds),
  ]];
}

// A group with counts of its own: `rows` gets whether the short form is meant.
const counted = (name, group, rows) => (options) => {
  if (options.some((one) => one !== "--short")) usage();
  const short = options.length > 0;
  return [{ ...group, command: `./dev soak ${name}${short ? " --short" : ""}` }, () => rows(short)];
};

const coredinator = (short) => [
  ...sitePart(bin, "soak-crashes", short ? 1 : 12),
  ...sitePart(bin, "soak-switches", short ? 30 : 1000),
  ...sitePart(bin, "soak-bad-versions", short ? 10 : 100),
  ...sitePart(bin, "soak-transitions", short ? 1 : 3),
];

const telemetry = async (short) => [
  ...part(bin, "telemetry_bench", "kills", short ? 50 : 10_000),
  ...part(bin, "telemetry_bench", "day", short ? 3_600 : 86_400),
  ...await crashSchedules(bin, short ? 2_000 : 1_000_000),
];

const [what = "1", ...options] = process.argv.slice(2);
const parts = {
  coredinator: counted("coredinator", coredinatorGroup, coredinator),
  telemetry: counted("telemetry", telemetryGroup, telemetry),
  keys: counted("keys", keysGroup, (short) => part(bin, "gateway_bench", "keys", short ? 20 : 1_000)),
  live: counted("live", liveGroup, (short) => part(bin, "gateway_bench", "live", short ? 60 : 3_600)),
};
if (!(what in parts) && options.length > 0) usage();
const [group, rows] = what in parts ? parts[what](options) : sites(what);
let failed = 1;
try {
  failed = print(await measure(group, rows));
} catch (error) {
  process.stderr.write(`soak: ${error.message}\n`);
}
console.log(failed > 0 ? "\nsoak: FAILED" : "\nsoak: passed");
process.exit(failed > 0 ? 1 : 0);
