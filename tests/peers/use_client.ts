// The generated client as a person's program uses it: node use_client.js URL PASSWORD. It is compiled with --strict first.
import { Client, ProblemError, type ModeOrder } from "./client.js";

declare const process: { argv: string[]; exitCode?: number };
const [url, password] = process.argv.slice(2) as [string, string];

async function refused(work: Promise<unknown>): Promise<ProblemError> {
  try { await work; } catch (error) { if (error instanceof ProblemError) return error; throw error; }
  throw new Error("it was not refused");
}

const ada = new Client({ url }), bob = new Client({ url });
const before = await refused(ada.getMode());
await ada.signIn({ user: "ada", password });
await bob.signIn({ user: "bob", password });
const order: ModeOrder = { mode: "manual", reason: "a client in TypeScript" };
const set = await ada.setMode(order);
const wrong = await refused(ada.setMode({ ...order, mode: "sideways" as "manual" }));
const denied = await refused(bob.setMode(order));
const unknown = await refused(bob.getAgent("no/body?"));
// An access token that is no longer good, and many that notice at once.
(bob as unknown as { accessToken: string }).accessToken = "a.b.c";
const renewed = await Promise.all([bob.getAccount(), bob.getPlant(), bob.getMode()]);
const { samples, next } = await bob.listSamples("air_temperature", { from: "2000-01-01T00:00:00Z", to: "2200-01-01T00:00:00Z", limit: 3 });
await bob.signOut();
const out = await refused(bob.getAccount());
console.log(JSON.stringify({ before: before.status, set, wrong: wrong.problem.errors?.[0]?.pointer, denied: denied.status, unknown: unknown.status,
  renewed: renewed[0].user, samples: samples.length, more: next !== undefined, out: out.status }));
