// next_version.mjs VERSION PROGRAM...: has programs say that they are of that version, as the tests of upgrades do.
import { readFileSync, writeFileSync } from "node:fs";

const [version, ...programs] = process.argv.slice(2);
const mark = Buffer.from("rltune-version:\0");
for (const program of programs) {
  const bytes = readFileSync(program);
  for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + 1))
    bytes.write(`${version}\0`, at + mark.length);
  writeFileSync(program, bytes);
}
