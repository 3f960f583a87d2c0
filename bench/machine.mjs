// What a figure depends on besides the code: the machine, its load, the compiler, the commit.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import os from "node:os";

function said(command, ...args) {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "unknown";
  }
}

export function load() {
  return Number(readFileSync("/proc/loadavg", "utf8").split(" ")[0]);
}

export function machine(source) {
  const flags = readFileSync("/proc/cpuinfo", "utf8").match(/^flags\s*:(.*)$/m)?.[1].split(" ") ?? [];
  return {
    cpu: os.cpus()[0]?.model ?? "unknown",
    cores: os.cpus().length,
    instruction_set: flags.includes("avx512f") ? "AVX-512" : flags.includes("avx2") ? "v3" : "plain",
    virtual: flags.includes("hypervisor"),
    memory_gib: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release()}`,
    compiler: said("g++-14", "--version").split("\n")[0],
    commit: said("git", "-C", source, "rev-parse", "--short", "HEAD") +
      (said("git", "-C", source, "status", "--porcelain", "--untracked-files=no") === "" ? "" : " and changes"),
    date: new Date().toISOString(),
  };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}
