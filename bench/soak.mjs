// soak.mjs TIME: whole sites under random kills for that long; a verdict, and build/bench/soak.json. TIME: hours, or
// minutes with an m behind them.
//
// Exit status: 0 passed, 1 failed, 2 wrong usage.
import { bin, measure, print } from "./measure.mjs";
import { soakGroup } from "./soak_group.mjs";
import { sitePart } from "./system_groups.mjs";

const time = process.argv[2] ?? "1";
const match = /^([0-9]+(?:\.[0-9]+)?)([hm]?)$/.exec(time);
const seconds = match ? Number(match[1]) * (match[2] === "m" ? 60 : 3600) : 0;
if (!match || seconds < 60 || process.argv.length > 3) {
  process.stderr.write(`Usage: ./dev soak [TIME]

  TIME   hours, or minutes as in 15m; 1 hour by default, 1m at least

Examples:
  ./dev soak
  ./dev soak 15m
  ./dev soak 24
`);
  process.exit(2);
}

let failed = 1;
try {
  failed = print(await measure({ ...soakGroup, command: `./dev soak ${time}` }, () => [
    ...sitePart(bin, "soak-live", seconds / 2),
    ...sitePart(bin, "soak-lockstep", 0.45 * seconds),
    ...sitePart(bin, "soak-guard", 0.05 * seconds),
  ]));
} catch (error) {
  process.stderr.write(`soak: ${error.message}\n`);
}
console.log(failed > 0 ? "\nsoak: FAILED" : "\nsoak: passed");
process.exit(failed > 0 ? 1 : 0);
