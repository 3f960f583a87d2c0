// The other side of a forwarder, over HTTPS with client certificates: an API gateway, and OpenSearch's `_bulk`. It misbehaves
// as it is told, and remembers what it took by id, as a receiver does that removes duplicates.
//
//   node receiver.mjs --folder CERTIFICATES [--seed N] [--token WORD] [--aws-secret WORD] [--plain]
//
// With --seed every second request or so goes wrong: taken and never answered, taken and half answered, taken and reset, 429 with
// Retry-After, 500, reset before it was taken. POST /mode sets what the next requests meet: ["hang", "status 401", ...].
// GET /report: {"records": {id: copies taken}, "entries": {id: entry}, "batches": {id: [first, last, times]}, "requests": N,
// "faults": [...]}. A batch whose ranges overlap another's, or a record that comes with another content, is a fault.
// --token: what Authorization or X-Api-Key must hold; --aws-secret: the signature is checked with aws4. Prints {"port": N}.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer as createPlain } from "node:http";
import { createServer } from "node:https";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";

const text = { type: "string" };
const { values: options } = parseArgs({
  options: { folder: text, seed: text, token: text, "aws-secret": text, plain: { type: "boolean" } },
});
const aws4 = options["aws-secret"] ? (await import("aws4")).default : undefined;

const report = { records: {}, entries: {}, batches: {}, requests: 0, faults: [], headers: {} };
const sockets = new Map();
let modes = [];
let random = Number(options.seed ?? 0);
function draw(bound) {  // mulberry32
  random = (random + 0x6d2b79f5) | 0;
  let t = Math.imul(random ^ (random >>> 15), 1 | random);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % bound;
}
const kModes = ["take and hang", "take and half", "take and reset", "status 429", "status 500", "reset"];

function takeRecord(id, entry) {
  const hash = createHash("sha256").update(JSON.stringify(entry)).digest("hex").slice(0, 16);
  report.records[id] = (report.records[id] ?? 0) + 1;
  if (report.entries[id] && report.entries[id] !== hash) report.faults.push(`${id} came with another content`);
  report.entries[id] = hash;
}

function takeGateway(body, request) {
  const batch = JSON.parse(body);
  if (batch.batch_id !== request.headers["idempotency-key"]) report.faults.push("Idempotency-Key is not the batch's id");
  const known = report.batches[batch.batch_id];
  report.batches[batch.batch_id] = [batch.first, batch.last, (known?.[2] ?? 0) + 1];
  let before = batch.first - 1;
  for (const record of batch.records) {
    if (record.sequence <= before || record.sequence > batch.last) report.faults.push(`${record.id} is out of order`);
    before = record.sequence;
    takeRecord(record.id, record.entry);
  }
  const refused = batch.records.filter((r) => r.entry.message === "poison").map((r) => ({ id: r.id, reason: "poison" }));
  return { accepted: batch.records.length - refused.length, refused };
}

// Takes what it does not have; "busy" once for a record of that message, "poison" never.
const busy = new Set();
function takeBulk(body) {
  if (!body.endsWith("\n")) report.faults.push("a bulk request ends without a line feed");
  const lines = body.trimEnd().split("\n").map((line) => JSON.parse(line));
  const items = [];
  for (let i = 0; i < lines.length; i += 2) {
    const { _index, _id } = lines[i].create;
    const item = { _index, _id, status: 201 };
    const error = (status, type) => Object.assign(item, { status, error: { type, reason: `because ${type}` } });
    if (lines[i + 1].message === "poison") error(400, "mapper_parsing_exception");
    else if (lines[i + 1].message === "busy" && !busy.has(_id)) busy.add(_id), error(429, "rejected_execution_exception");
    else if (report.records[_id]) error(409, "version_conflict_engine_exception");
    else takeRecord(_id, lines[i + 1]);
    items.push({ create: item });
  }
  return { took: 1, errors: items.some((item) => item.create.error), items };
}

function refusal(request, body) {
  const given = request.headers["x-api-key"] ?? request.headers.authorization ?? "";
  if (options.token && !given.endsWith(options.token)) return 401;
  if (!aws4) return undefined;
  const parts = given.match(/Credential=([^/]+)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/);
  if (!parts) return 403;
  const headers = Object.fromEntries(parts[4].split(";").map((name) => [name, request.headers[name]]));
  const wanted = new aws4.RequestSigner(
    { service: parts[3], region: parts[2], method: "POST", path: request.url, headers, body, host: headers.host, doNotModifyHeaders: true },
    { accessKeyId: parts[1], secretAccessKey: options["aws-secret"] });
  wanted.sign();
  return wanted.signature() === parts[5] ? undefined : 403;
}

function answer(response, status, body, headers = {}) {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

async function serve(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  let raw = Buffer.concat(chunks);
  if (request.url === "/report") return answer(response, 200, report);
  if (request.url === "/mode") return (modes = JSON.parse(raw)), answer(response, 200, "{}");
  report.requests += 1;
  report.headers = request.headers;
  const mode = modes.shift() ?? (options.seed && draw(2) ? kModes[draw(kModes.length)] : "take");
  if (mode === "hang") return;
  if (mode === "reset") return sockets.get(request.socket.remotePort)?.resetAndDestroy();
  if (mode.startsWith("status ")) {
    const [status, wait] = mode.slice(7).split(" ");
    return answer(response, Number(status), "no", status === "429" ? { "Retry-After": wait ?? "0" } : {});
  }
  const refused = refusal(request, raw);
  if (refused) return answer(response, refused, `refused: ${request.headers.authorization ?? ""}`);
  const body = (request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw).toString();
  const taken = request.url.endsWith("/_bulk") ? takeBulk(body) : takeGateway(body, request);
  if (mode === "take and hang") return;
  if (mode === "take and reset") return sockets.get(request.socket.remotePort)?.resetAndDestroy();
  if (mode === "take and half") {
    response.writeHead(200, { "Content-Length": "1000" });
    response.write("{");
    return setImmediate(() => request.socket.end());
  }
  answer(response, 200, taken);
}

const read = (name) => readFileSync(`${options.folder}/${name}`);
const server = options.plain
  ? createPlain(serve)
  : createServer({ ca: read("ca.pem"), cert: read("server.pem"), key: read("server.key"), requestCert: true }, serve);
server.on("connection", (socket) => {
  const port = socket.remotePort;
  sockets.set(port, socket);
  socket.on("close", () => sockets.delete(port)).on("error", () => {});
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
process.on("SIGTERM", () => process.exit(0));
