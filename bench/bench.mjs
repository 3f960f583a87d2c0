// ./dev bench [NAME...] [--list] [--write]: measures, prints each figure beside its bound, keeps build/bench/NAME.json.
//
// Exit status: 0 every bound kept, 1 one missed or a benchmark failed, 2 wrong usage.
import { join } from "node:path";
import { check } from "./check.mjs";
import { learningGroups } from "./learning_groups.mjs";
import { controlQualityGroups } from "./control_quality_groups.mjs";
import { bin, measure, print, results, source } from "./measure.mjs";
import { moduleGroups } from "./module_groups.mjs";
import { qualityGroup } from "./quality_group.mjs";
import { rlGroups } from "./rl_groups.mjs";
import { runModuleGroup } from "./run_module_group.mjs";
import { coredinatorGroup, keysGroup, liveGroup, soakGroup, telemetryGroup } from "./soak_group.mjs";
import { runSystemGroup, systemGroups } from "./system_groups.mjs";
import { writePage } from "./write_page.mjs";

const asked = process.argv.slice(2);
const seedsAt = asked.indexOf("--seeds");
const seeds = seedsAt < 0 ? undefined : Number(asked.splice(seedsAt, 2)[1]);
if (seeds !== undefined && !(Number.isInteger(seeds) && seeds > 0)) {
  process.stderr.write("bench: --seeds wants a whole number\n");
  process.exit(2);
}

const groups = [
  ...systemGroups.map((group) => ({ ...group, rows: () => runSystemGroup(group, bin) })),
  ...[...learningGroups, qualityGroup, ...controlQualityGroups].map((group) => ({ ...group, rows: () => group.run(bin, { seeds }) })),
  ...rlGroups.map((group) => ({ ...group, rows: () => group.run(bin) })),
  ...moduleGroups.map((group) => ({ ...group, rows: () => runModuleGroup(group, bin) })),
];
const options = ["--write", "--check", "--accept", "--list", "--help", "-h"];

function usage(stream) {
  stream.write(`Usage: ./dev bench [NAME...] [--list] [--write] [--seeds N] [--check [--accept]]

  NAME      one of the benchmarks below; all of them by default, but for those marked long
  --write   render docs/benchmarks.md from the results that lie in build/bench; without a NAME nothing is measured
  --check   whether deciding, stepping and learning are slower than bench/accepted.json says, beside an FMA probe (a few
            minutes); with --accept what is measured is accepted
  --seeds N how many seeds quality (10) and the plants' groups (5) train
  --list    print the names

${groups.map((one) => `  ${one.name.padEnd(18)} ${one.title}${one.long ? " (long)" : ""}`).join("\n")}

Examples:
  ./dev bench                        # about 25 minutes
  ./dev bench inference decision
  ./dev bench control --write
  ./dev bench --write                # the page alone
  ./dev bench --check                # before landing what touches speed
`);
}

const names = asked.filter((one) => !options.includes(one));
const unknown = names.find((name) => !groups.some((group) => group.name === name));
if (unknown !== undefined) {
  process.stderr.write(`bench: there is no '${unknown}'\n`);
  usage(process.stderr);
  process.exit(2);
}
if (asked.some((one) => ["--list", "--help", "-h"].includes(one))) {
  usage(process.stdout);
  process.exit(0);
}

if (asked.includes("--check")) process.exit(check(bin, source, { accept: asked.includes("--accept") }) > 0 ? 1 : 0);

const writes = asked.includes("--write");
const chosen = groups.filter((group) => (names.length > 0 ? names.includes(group.name) : !group.long && !writes));
let missed = 0;
for (const group of chosen) {
  try {
    missed += print(await measure(group, group.rows));
  } catch (error) {
    process.stderr.write(`bench: ${group.name} failed: ${error.message}\n`);
    missed += 1;
  }
}
if (writes) writePage([...groups, soakGroup, coredinatorGroup, telemetryGroup, keysGroup, liveGroup], results, join(source, "docs/benchmarks.md"));
if (missed > 0) process.stderr.write(`bench: ${missed} missed\n`);
process.exit(missed > 0 ? 1 : 0);
