// docs/benchmarks.md, made anew from the results that lie in build/bench; the rest of it stays.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kept, number, spread } from "./present.mjs";

const introduction = `# Benchmarks

What RLTune does how fast, measured by commands that anybody can repeat. \`./dev bench\` runs all but the long ones,
\`./dev bench NAME\` one of them, \`./dev bench --write\` renders this page from the results in \`build/bench\`.

A figure is the median of its repetitions, with the smallest and the largest beside it. Latencies are quantiles over every
decision of a run; beside them stands the range of the same quantile over the quarters of that run. The machine is a small
shared virtual one, and other builds ran on it at times: the load average stands with each table, before and after. Bounds are
the product's promises; where none stands, the figure is for comparison.
`;

function table(rows) {
  const lines = ["| what | measured | spread | bound | |", "|---|---:|---|---|---|"];
  for (const row of rows) {
    const bound = row.bound === undefined ? "" : `${row.least ? ">=" : "<="} ${number(row.bound)} ${row.unit}`.trim();
    const verdict = row.bound === undefined ? "" : kept(row) ? "kept" : "**missed**";
    lines.push(`| ${row.what} | ${number(row.value)} ${row.unit} | ${spread(row)} | ${bound} | ${verdict} |`);
  }
  return lines.join("\n");
}

// Lines of at most 120 characters.
function wrapped(text) {
  const lines = [""];
  for (const word of text.split(" "))
    if (lines.at(-1).length + word.length < 120) lines.push(`${lines.pop()} ${word}`.trim());
    else lines.push(word);
  return lines.join("\n");
}

function section(result) {
  const { machine } = result;
  const when = `${machine.date.slice(0, 16).replace("T", " ")} UTC, commit ${machine.commit}`;
  return `## ${result.title}

\`${result.command}\` (${result.seconds} s; ${when}; load ${result.load_before} before, ${result.load_after} after)

${result.note ? wrapped(result.note) + "\n\n" : ""}${table(result.rows)}
`;
}

function machines(results, before) {
  const described = new Set(before.split("\n").filter((line) => line.startsWith("- ")).map((line) => line.slice(2)));
  for (const { machine: m } of results)
    described.add(`${m.cpu}, ${m.cores} cores${m.virtual ? " of a virtual machine" : ""}, ${m.instruction_set}, ` +
      `${m.memory_gib} GiB; ${m.kernel}; ${m.compiler}`);
  return `## Machine\n\n${[...described].map((one) => `- ${one}`).join("\n")}\n`;
}

// What stands in the page now, by title.
function sectionsOf(page) {
  const text = existsSync(page) ? readFileSync(page, "utf8") : "";
  return new Map(text.split(/^(?=## )/m).slice(1).map((one) => [one.slice(3, one.indexOf("\n")), `${one.trimEnd()}\n`]));
}

// A group without a result here keeps what the page says of it.
export function writePage(groups, folder, page) {
  const before = sectionsOf(page);
  const results = new Map(groups.map((group) => [group.title, { group, file: join(folder, `${group.name}.json`) }])
    .filter(([, { file }]) => existsSync(file))
    .map(([title, { group, file }]) => [title, { ...JSON.parse(readFileSync(file, "utf8")), title, note: group.note }]));
  if (results.size === 0) throw new Error("there are no results in build/bench yet");
  const sections = groups.map(({ title }) => results.has(title) ? section(results.get(title)) : before.get(title));
  const text = [introduction, machines(results.values(), before.get("Machine") ?? ""), ...sections.filter(Boolean)];
  writeFileSync(page, text.join("\n"));
  process.stderr.write(`bench: wrote ${page}\n`);
}
