// ./dev bench [NAME...] [--list] [--write]: measures, prints each figure beside its bound, keeps build/bench/NAME.json.
//
// Exit status: 0 every bound kept, 1 one missed or a benchmark failed, 2 wrong usage.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { load, machine } from "./machine.mjs";
import { moduleGroups } from "./module_groups.mjs";
import { kept, number, spread } from "./present.mjs";
import { runModuleGroup } from "./run_module_group.mjs";
import { runSystemGroup, systemGroups } from "./system_groups.mjs";
import { writePage } from "./write_page.mjs";

const source = dirname(import.meta.dirname);
const bin = process.env.RLTUNE_BIN ?? join(source, "build/release/bin");
const results = join(source, "build/bench");
const groups = [...moduleGroups, ...systemGroups];

function usage(stream) {
  stream.write(`Usage: ./dev bench [NAME...] [--list] [--write]

  NAME      one of the benchmarks below; all of them by default, but for those marked long
  --write   also render docs/benchmarks.md from the results that lie in build/bench
  --list    print the names

${groups.map((one) => `  ${one.name.padEnd(18)} ${one.title}${one.long ? " (long)" : ""}`).join("\n")}

Examples:
  ./dev bench                        # about 20 minutes
  ./dev bench inference decision
  ./dev bench control --write
`);
}

function measure(group) {
  process.stderr.write(`bench: ${group.name} ...\n`);
  const before = load(), started = Date.now();
  const rows = group.part || group.run ? runSystemGroup(group, bin) : runModuleGroup(group, bin);
  const result = { name: group.name, title: group.title, command: `./dev bench ${group.name}`, note: group.note,
    seconds: Math.round((Date.now() - started) / 1000), load_before: before, load_after: load(),
    machine: machine(source), rows };
  mkdirSync(results, { recursive: true });
  writeFileSync(join(results, `${group.name}.json`), JSON.stringify(result, null, 1) + "\n");
  return result;
}

function print(result) {
  console.log(`\n${result.title}  (load ${result.load_before} before, ${result.load_after} after)`);
  for (const row of result.rows) {
    const bound = row.bound === undefined ? "" : `  bound ${number(row.bound)} ${row.unit}  ${kept(row) ? "kept" : "MISSED"}`;
    console.log(`  ${row.what.padEnd(64)} ${number(row.value).padStart(10)} ${row.unit.padEnd(12)} ${spread(row).padEnd(24)}${bound}`);
  }
}

const asked = process.argv.slice(2);
if (asked.includes("--help") || asked.includes("-h")) { usage(process.stdout); process.exit(0); }
const unknown = asked.filter((one) => one !== "--write" && one !== "--list" && !groups.some((group) => group.name === one));
if (unknown.length > 0) {
  process.stderr.write(`bench: there is no '${unknown[0]}'\n`);
  usage(process.stderr);
  process.exit(2);
}
if (asked.includes("--list")) { usage(process.stdout); process.exit(0); }

const names = asked.filter((one) => !one.startsWith("--"));
const chosen = groups.filter((group) => (names.length > 0 ? names.includes(group.name) : !group.long));
let missed = 0;
for (const group of chosen) {
  try {
    const result = measure(group);
    print(result);
    missed += result.rows.filter((row) => !kept(row)).length;
  } catch (error) {
    process.stderr.write(`bench: ${group.name} failed: ${error.message}\n`);
    missed += 1;
  }
}
if (asked.includes("--write")) writePage(groups, results, join(source, "docs/benchmarks.md"));
if (missed > 0) process.stderr.write(`bench: ${missed} missed\n`);
process.exit(missed > 0 ? 1 : 0);
