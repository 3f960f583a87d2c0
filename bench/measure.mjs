// One group measured, kept as build/bench/NAME.json, and printed beside its bounds.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { load, machine } from "./machine.mjs";
import { kept, number, spread } from "./present.mjs";

export const source = dirname(import.meta.dirname);
export const bin = process.env.RLTUNE_BIN ?? join(source, "build/release/bin");
export const results = join(source, "build/bench");

// `rows` measures; the group says what it is called.
export async function measure(group, rows) {
  process.stderr.write(`bench: ${group.name} ...\n`);
  const before = load(), started = Date.now();
  const measured = await rows();
  const result = { name: group.name, title: group.title, command: group.command ?? `./dev bench ${group.name}`,
    note: group.note, seconds: Math.round((Date.now() - started) / 1000), load_before: before, load_after: load(),
    machine: machine(source), rows: measured };
  mkdirSync(results, { recursive: true });
  writeFileSync(join(results, `${group.name}.json`), JSON.stringify(result, null, 1) + "\n");
  return result;
}

export function print(result) {
  console.log(`\n${result.title}  (load ${result.load_before} before, ${result.load_after} after)`);
  for (const row of result.rows) {
    const bound = row.bound === undefined ? "" : `  bound ${number(row.bound)} ${row.unit}  ${kept(row) ? "kept" : "MISSED"}`;
    console.log(`  ${row.what.padEnd(72)} ${number(row.value).padStart(10)} ${row.unit.padEnd(12)} ${spread(row).padEnd(24)}${bound}`);
  }
  return result.rows.filter((row) => !kept(row)).length;
}
