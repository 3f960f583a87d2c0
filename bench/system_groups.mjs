// The benchmarks of whole sites in real processes: parts of site_bench, which measures one and prints its rows as JSON.
import { execFileSync } from "node:child_process";
import { join } from "node:path";

export const systemGroups = [];

export function runSystemGroup(group, bin) {
  const text = execFileSync(join(bin, "site_bench"), [group.part, ...(group.arguments ?? [])],
    { encoding: "utf8", maxBuffer: 1 << 26, stdio: ["ignore", "pipe", "inherit"] });
  return JSON.parse(text).rows;
}
