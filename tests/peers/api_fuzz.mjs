// Fuzzes a running gateway from its OpenAPI document: node api_fuzz.mjs SETTINGS_JSON
//
// SETTINGS has {"url", "ca", "seed", "seconds", "accounts": [{"user", "password"}], "service", "secret", "names": {"tag": [...]}, "forbidden": [...]}.
// Every operation is called by everybody, with messages as they have to be, almost so, and hostile. What must hold: no 5xx, no
// connection lost, every answer as the document says, nothing taken that the document forbids, nothing let in without a good token,
// and no answer with a secret, a path, a hash or a word of our sources. What does not is printed, a line each with its request;
// the last line is {"seed", "requests", "statuses", "operations"}; the status is 1 where anything did not hold.
import fs from "node:fs";
import https from "node:https";
import { Api } from "./openapi.mjs";
import { kOddTexts, Messages, Random } from "./random_messages.mjs";

const kAtOnce = 4, kBodyMax = 1 << 20, kMark = "canary-", kNobody = "nobody";
const kOurs = [/\$argon2/, /std::|boost::|nlohmann|google::protobuf/, /\.(cpp|hpp|proto)\b/, /0x[0-9a-f]{8}/, /PRIVATE KEY/, /terminate called|what\(\)|backtrace/,
  /SQLITE|SELECT .* FROM/, /(^|[^A-Za-z0-9.])\/(root|home|tmp|var|usr)\//, new RegExp(kMark)];

const settings = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const random = new Random(settings.seed);
const agent = new https.Agent({ keepAlive: true, maxSockets: kAtOnce, ca: fs.readFileSync(settings.ca) });
const faults = new Map();
const counted = { statuses: {}, operations: {} };
let requests = 0;

// {status, headers, body}, or {lost: why}.
function send({ method, path, headers, body }) {
  return new Promise((resolve) => {
    const lost = (error) => resolve({ lost: error.message });
    const bytes = body === undefined ? undefined : Buffer.from(body);
    try {
      const request = https.request(settings.url + path, { method, agent, timeout: 30000,
        headers: bytes ? { ...headers, "Content-Length": bytes.length } : headers }, (answer) => {
        const parts = [];
        answer.on("data", (part) => parts.push(part)).on("error", lost);
        answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts).toString() }));
      });
      request.on("error", lost).on("timeout", () => request.destroy(new Error("no answer within 30 s")));
      request.end(bytes);
    } catch (error) { lost(error); }
  });
}

async function post(path, message) {
  const answer = await send({ method: "POST", path, headers: { "Content-Type": "application/json" }, body: JSON.stringify(message) });
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status ?? answer.lost} ${answer.body ?? ""}`);
  return JSON.parse(answer.body).access_token;
}

const tokens = new Map();
const renewals = new Map();
async function renew(who) {
  if (!renewals.has(who)) renewals.set(who, (async () => {
    const account = settings.accounts.find((one) => one.user === who);
    tokens.set(who, account ? await post("/api/v1/auth/login", account)
      : await post("/api/v1/auth/token", { service: settings.service, secret: settings.secret }));
  })().finally(() => renewals.delete(who)));
  return renewals.get(who);
}

const everybody = [...settings.accounts.map(({ user }) => user), settings.service, kNobody];
const answer = await send({ method: "GET", path: "/api/v1/openapi.json", headers: {} });
const api = new Api(JSON.parse(answer.body));
const pool = Object.values(settings.names).flat();
let marks = 0;
const messages = new Messages(api, random, pool, () => `${kMark}${settings.seed}-${marks++}`);

// A token that is none, by what is sent in Authorization.
function badToken(good) {
  const [head, body, signature] = good.split(".");
  const none = Buffer.from('{"alg":"none"}').toString("base64url");
  return random.of(["", "Bearer", "Bearer ", "Bearer x", `Basic ${Buffer.from("ada:x").toString("base64")}`, `Bearer ${none}.${body}.`,
    `Bearer ${none}.${body}.${signature}`, `Bearer ${head}.${body}.`, `Bearer ${head}.${body}.${signature.slice(0, -4)}AAAA`, `Bearer ${head}.${body}.${signature}.x`,
    `Bearer ${head}.${Buffer.from('{"sub":"ada"}').toString("base64url")}.${signature}`, `Bearer ${"a".repeat(6000)}`, `bearer\t${good.slice(1)}`]);
}

// Behind the question mark, as it has to be, or almost so.
function queryOf(operation) {
  const given = operation.told.parameters.filter((one) => one.in === "query" && (one.required || random.chance(0.5)))
    .map((one) => [one.name, random.chance(0.7) ? messages.value(one.schema) : random.of(kOddTexts)]);
  if (given.length > 0 && random.chance(0.1)) given.push(random.of(given));
  return given.length === 0 ? "" : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

function pathOf(operation, hostile) {
  return operation.path.replace(/\{([^}]*)\}/g, (_, name) => {
    const known = settings.names[name] ?? pool;
    const text = hostile ? random.of(kOddTexts) || "x" : random.of(known.length > 0 && random.chance(0.8) ? known : pool);
    return encodeURIComponent(text.isWellFormed() ? text : "\ufffd");
  }) + (!hostile || random.chance(0.3) ? queryOf(operation) : random.chance(0.3) ? random.of(["?", "?a=b", "?%", "?limit=-1&cursor=%00", `?${"q".repeat(3000)}=1`, "?limit=1e9&cursor=..%2f", "/", "//", "/%2e%2e"]) : "");
}

function bodyOf(operation, kind) {
  const content = operation.told.requestBody?.content["application/json"];
  if (!content) return kind === "hostile" && random.chance(0.5) ? { body: messages.hostile({ type: "object" }) } : {};
  if (kind === "hostile") return { body: messages.hostile(content.schema) };
  const message = kind === "right" ? messages.value(content.schema) : messages.almost(content.schema);
  return { body: JSON.stringify(message) ?? "", wrong: !api.validator(content.schema)(message) };
}

// Seldom: to look at a password, or to sign in again, costs as much time as a hundred other calls.
const isDear = (operation) => operation.id === "logout" || operation.id === "endSession" ||
  JSON.stringify(api.resolved(operation.told.requestBody?.content["application/json"].schema) ?? "").includes("writeOnly");
const operations = api.operations.flatMap((operation) => Array(isDear(operation) ? 1 : 8).fill(operation));

function make() {
  const operation = random.of(operations);
  const kind = random.of(["right", "almost", "almost", "hostile"]);
  const who = random.of(everybody);
  const headers = { "Content-Type": "application/json", Connection: "keep-alive" };
  const bad = who !== kNobody && random.chance(0.1);
  if (who !== kNobody) headers.Authorization = bad ? badToken(tokens.get(who)) : `Bearer ${tokens.get(who)}`;
  const made = { operation, kind, who, bad, method: operation.method, headers, path: pathOf(operation, kind === "hostile" && random.chance(0.5)),
    ...bodyOf(operation, kind) };
  if (kind === "hostile" && random.chance(0.2)) headers["Content-Type"] = random.of(["", "text/plain", "application/xml", "application/json; charset=utf-16", "multipart/form-data", "x".repeat(500)]);
  if (kind === "hostile" && random.chance(0.2)) headers["X-Correlation-Id"] = random.of(["", "a b", "x".repeat(500), "%0d%0aX-Evil: 1", "\"><script>"]);
  if (kind === "hostile" && random.chance(0.1)) headers.Cookie = random.of(["__Host-rltune-access=x", "__Host-rltune-access=a.b.c; __Host-rltune-refresh=y", ";;;=;", "a".repeat(4000)]);
  if (kind === "hostile" && random.chance(0.1)) made.method = random.of(["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]);
  return made;
}

function leaks(text) {
  return [...kOurs, ...settings.forbidden].filter((one) => (typeof one === "string" ? text.includes(one) : one.test(text)));
}

const kOwnText = ["getConfig", "getConfigVersion", "listConfigProposals"];
const isPath = (leak) => (typeof leak === "string" ? leak.startsWith("/") : leak.source.includes("home"));

function judge(made, got) {
  if (got.lost) return made.body && made.body.length > kBodyMax ? [] : [`the connection was lost: ${got.lost}`];
  const called = api.find(made.method, new URL(settings.url + made.path).pathname);
  const wrongs = got.status >= 500 ? [`status ${got.status}`] : [];
  wrongs.push(...api.faultsOf(called, { path: made.path, status: got.status, type: got.headers["content-type"] ?? "", headers: got.headers, body: got.body }));
  // The site's own files may name folders of its host; their readers are those who write them.
  const ownText = kOwnText.includes(called?.id) && got.status === 200;
  for (const leak of leaks(`${got.body}\n${JSON.stringify(got.headers)}`))
    if (!ownText || !isPath(leak)) wrongs.push(`it tells of ${leak}`);
  const taken = got.status < 300;
  if (taken && made.wrong) wrongs.push("a message was taken that the document forbids");
  if (taken && called?.told.security.length > 0 && (made.bad || made.who === kNobody)) wrongs.push("it was done for who has no good token");
  if (got.status >= 400 && got.status !== 404 && called && !got.headers["x-correlation-id"] && ![400, 413, 414, 431].includes(got.status)) wrongs.push("no X-Correlation-Id");
  return wrongs;
}

// What answers name can be asked for: "sessions": [{"id": "x"}] is a {session}.
function harvest(node, key = "") {
  if (typeof node === "string" && node.length > 0 && node.length < 100 && pool.length < 300 && !pool.includes(node)) pool.push(node);
  if (!node || typeof node !== "object") return;
  const one = key.replace(/s$/, "");
  if (Array.isArray(node) && key !== one)
    settings.names[one] = [...new Set([...(settings.names[one] ?? []).slice(-50), ...node.flatMap((each) => [each?.id, each?.name, each?.[one]]).filter((text) => typeof text === "string" && text)])];
  for (const [name, inner] of Object.entries(node)) harvest(inner, Array.isArray(node) ? "" : name);
}

async function once() {
  const made = make();
  const got = await send(made);
  requests += 1;
  const id = api.find(made.method, made.path.split("?")[0])?.id ?? "none";
  counted.statuses[got.status] = (counted.statuses[got.status] ?? 0) + 1;
  const seen = (counted.operations[id] ??= {});
  seen[got.status] = (seen[got.status] ?? 0) + 1;
  for (const wrong of judge(made, got)) {
    const request = { method: made.method, path: made.path.slice(0, 300), headers: { ...made.headers, Authorization: made.who + (made.bad ? " bad" : "") }, body: String(made.body ?? "").slice(0, 500) };
    const key = `${id}: ${wrong}`;
    if (!faults.has(key)) faults.set(key, `${key}: ${JSON.stringify(request)} -> ${got.status} ${(got.body ?? "").slice(0, 300)}`);
  }
  if (got.status === 200 && made.method === "GET") harvest(JSON.parse(got.body));
  const out = got.status === 401 && made.who !== kNobody && !made.bad && api.find(made.method, made.path.split("?")[0])?.told.security.length > 0;
  if (out || id === "logout" || id === "endSession") if (made.who !== kNobody) await renew(made.who);
}

await Promise.all(everybody.filter((who) => who !== kNobody).map(renew));
const until = Date.now() + 1000 * settings.seconds;
await Promise.all(Array.from({ length: kAtOnce }, async () => { while (Date.now() < until && faults.size < 50) await once(); }));
agent.destroy();
for (const fault of faults.values()) console.log(fault);
console.log(JSON.stringify({ seed: settings.seed, requests, ...counted }));
process.exitCode = faults.size === 0 ? 0 : 1;
