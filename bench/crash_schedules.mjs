// The crash model of the telemetry buffer, so many schedules, over as many processes as there are processors.
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";

const filter = "--gtest_filter=CrashModel.*";
const line = /(\d+) schedules from seed (\d+): (\d+) crashes, (\d+) records acknowledged, (\d+) kept unacknowledged, (\d+) commits/;

function run(bin, first, schedules) {
  return new Promise((resolve, reject) => {
    const child = spawn(join(bin, "telemetry_test"), [filter],
      { env: { ...process.env, RLTUNE_SCHEDULES: String(schedules), RLTUNE_SEED: String(first) }, stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout.on("data", (bytes) => { said += bytes; });
    child.on("close", (status) => {
      const found = line.exec(said);
      if (found) resolve({ failed: status === 0 ? 0 : 1, crashes: Number(found[3]), acknowledged: Number(found[4]), said });
      else if (status !== 0) resolve({ failed: 1, crashes: 0, acknowledged: 0, said });
      else reject(new Error(`telemetry_test says nothing of its schedules: ${said}`));
    });
  });
}

export async function crashSchedules(bin, schedules, first = 1_000_000) {
  const processes = availableParallelism(), each = Math.ceil(schedules / processes);
  const runs = await Promise.all(Array.from({ length: processes }, (_, i) => run(bin, first + i * each, each)));
  for (const one of runs) if (one.failed > 0) process.stderr.write(one.said);
  const sum = (field) => runs.reduce((total, one) => total + one[field], 0);
  const once = (what, value, bound) => ({ what, unit: "", value, low: value, high: value, bound });
  return [once(`schedules of crashes and faults, from seed ${first}`, each * processes),
    once("crashes in them", sum("crashes")), once("records acknowledged", sum("acknowledged")),
    once("runs in which one was lost, invented or out of order", sum("failed"), 0)];
}
