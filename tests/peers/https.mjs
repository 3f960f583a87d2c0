// A server of HTTPS that asks for a client certificate and misbehaves when told to, for clients to meet.
//
//   node https.mjs --folder CERTIFICATES [--optional] [--plain]
//
// CERTIFICATES holds ca.pem, server.pem and server.key. --optional: clients without a certificate are taken; --plain: no
// TLS. Prints {"port": N} once it serves. What a path does: /echo answers with what came, as JSON; /status/NNN with that
// status (Retry-After: 7); /hang never; /half promises more than it sends; /reset ends the connection with a reset;
// /large answers 1 MB; /redirect points to /echo. Ends on SIGTERM.
import { readFileSync } from "node:fs";
import { createServer as createPlain } from "node:http";
import { createServer } from "node:https";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: { folder: { type: "string" }, optional: { type: "boolean" }, plain: { type: "boolean" } },
});
const read = (name) => readFileSync(`${options.folder}/${name}`);

// The TCP connections below TLS, by the port of the other side: these alone can be reset.
const sockets = new Map();
let connections = 0;
async function serve(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const path = request.url.split("?")[0];
  if (path === "/hang") return;
  if (path === "/reset") return sockets.get(request.socket.remotePort).resetAndDestroy();
  if (path === "/half") {
    response.writeHead(200, { "Content-Length": "1000" });
    response.write("half");
    return setImmediate(() => request.socket.end());
  }
  if (path === "/large") return response.end("x".repeat(1_000_000));
  if (path === "/redirect") return response.writeHead(302, { Location: "/echo" }).end();
  if (path.startsWith("/status/")) return response.writeHead(Number(path.slice(8)), { "Retry-After": "7" }).end("told so");
  const peer = request.socket.getPeerCertificate?.();
  response.writeHead(200, { "Content-Type": "application/json", "X-Echo": "Yes" });
  response.end(JSON.stringify({
    method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString(),
    certificate: peer?.subject?.CN ?? null, connections, protocol: request.socket.getProtocol?.() ?? null,
  }));
}

const server = options.plain
  ? createPlain(serve)
  : createServer({
      ca: read("ca.pem"), cert: read("server.pem"), key: read("server.key"), requestCert: true,
      rejectUnauthorized: !options.optional,
    }, serve);
server.on("connection", (socket) => {
  const port = socket.remotePort;
  sockets.set(port, socket);
  socket.on("close", () => sockets.delete(port)).on("error", () => {});
});
server.on(options.plain ? "connection" : "secureConnection", () => { connections += 1; });
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
process.on("SIGTERM", () => process.exit(0));
