// The benchmarks of whole sites in real processes: parts of site_bench, which measures one and prints its rows as JSON,
// and the training of the default policy.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const systemGroups = [
  {
    name: "control",
    title: "The control loop at 10 Hz while learning runs",
    part: "control",
    note: "A site on the wall clock for two minutes: lettuce twin, encrypted OPC UA on loopback, io, agent (a decision every " +
      "100 ms), learner at work; then half a minute more beside two processes that never sleep. From the timings in the " +
      "decision records. io and agent run at the lowest real-time priority, which they are given as root, with " +
      "CAP_SYS_NICE or with LimitRTPRIO=1 in a unit; at ordinary priority the 99th percentile rises to a timer tick (4 ms) " +
      "as soon as other work fills the machine. The twin has that priority too: a plant has a machine of its own.",
  },
  {
    name: "agents",
    title: "Ten agents learning at once on this machine, a decision a second each",
    part: "agents",
    note: "Ten whole sites: twin, encrypted OPC UA, io, agent and learner of each, for a minute.",
  },
  {
    name: "reaction",
    title: "From a change in the plant to the write that answers it",
    part: "reaction",
    note: "Encrypted OPC UA (Basic256Sha256, sign and encrypt) on loopback. 500 changes of a value in the server, at random " +
      "phases of its publishing; the time runs until the server has acknowledged the written set-points. The agent's period " +
      "is shorter than the time between changes. Where a server samples on a beat of its own (the last rows), a change also " +
      "waits for that beat; by default RLTune asks for a sample at every publishing.",
  },
  {
    name: "season",
    title: "A season in lockstep",
    part: "season",
    note: "Twin, io and agent in step over encrypted OPC UA, every decision on record: 1920 steps of half an hour.",
  },
  {
    name: "recovery",
    title: "Recovery from kill -9",
    part: "recovery",
    note: "The site of the control loop, one process killed at a time; to the next decision of the policy that reached the " +
      "plant, by the records' wall clock.",
  },
  {
    name: "dispatch",
    title: "Calls through coredinator",
    part: "dispatch",
    note: "A live site as above, not learning. 10,000 calls to the agent itself and 10,000 through coredinator, in turn; then one " +
      "thread with 32 calls in flight for five seconds: load generator, coredinator and agent share the two cores.",
  },
  {
    name: "telemetry",
    title: "Log entries taken by the telemetry role",
    run: (bin) => [...part(bin, "telemetry_bench", "speed"), ...part(bin, "telemetry_bench", "rsyslog")],
    note: "The role as a process, and senders as light as can be on the same two cores; over HTTP, each request answered when what it " +
      "brought is on disk. Each record is an entry of 256 bytes, parsed strictly and written anew. rsyslogd gets lines of 256 bytes over TCP " +
      "for a receiver that is away, answers nobody, and counts what it wrote once a second.",
  },
  {
    name: "gateway",
    title: "Calls through the gateway",
    run: (bin) => [...part(bin, "gateway_bench", "calls"), ...part(bin, "gateway_bench", "keys"), ...part(bin, "gateway_bench", "live")],
    note: "HTTPS with TLS 1.3 from connections that stay open, by way of gateway and coredinator to an agent of a live site and back, each call " +
      "with its token, permission and limits looked at and a line in the log; bare answers of the same web server over TLS, and of Drogon without (Debian builds it so), processes of their own, in turn with it. " +
      "Callers and all processes share the two cores. Keys: rotated twice a second at half of what it can answer, each caller's token signed by any of " +
      "the keys so far. Values: 200 clients that watch 500 tags, each with another value ten times a second; 20 of them read nothing.",
  },
  {
    name: "startup",
    title: "Start-up",
    part: "startup",
  },
  {
    name: "train",
    title: "Training the default policy",
    long: true,
    run: train,
    note: "`rltune policy train --plant lettuce`: training, tuning of the rule it has to beat, validation, artifact.",
  },
];

function train(bin) {
  const folder = mkdtempSync(join(tmpdir(), "rltune-bench-"));
  try {
    const started = Date.now();
    const text = execFileSync(join(bin, "rltune"), ["policy", "train", "--plant", "lettuce", "--out", join(folder, "policy"), "--json"],
      { encoding: "utf8", maxBuffer: 1 << 26, stdio: ["ignore", "pipe", "ignore"] });
    const seconds = (Date.now() - started) / 1000;
    const result = JSON.parse(text);
    const once = (what, unit, value, bound) => ({ what, unit, value, low: value, high: value, bound });
    return [once("learning", "s", result.seconds, 120), once("the whole command", "s", seconds),
      once("transitions", "", result.steps)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const sitePart = (bin, name, ...amount) => part(bin, "site_bench", name, ...amount);

export function part(bin, program, name, ...amount) {
  const text = execFileSync(join(bin, program), [name, ...amount.map(String)],
    { encoding: "utf8", maxBuffer: 1 << 26, stdio: ["ignore", "pipe", "inherit"] });
  return JSON.parse(text.trim().split("\n").at(-1)).rows;
}

export function runSystemGroup(group, bin) {
  return group.run ? group.run(bin) : sitePart(bin, group.part);
}
