// An S3 server made of other projects' parts: s3rver keeps the objects, aws4 says whether a request is signed as Amazon
// wants it, which s3rver does not look at.
//
//   node s3.mjs --port 4841 --folder SCRATCH --bucket NAME --secret WORD
//
// The access key is S3RVER. Prints "ready" once it serves, and every refusal as JSON. Ends on SIGTERM.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { PassThrough } from "node:stream";
import { parseArgs } from "node:util";
import aws4 from "aws4";
import S3rver from "s3rver";

const text = { type: "string" };
const { values: options } = parseArgs({ options: { port: text, folder: text, bucket: text, secret: text } });
const store = new S3rver({
  silent: true, directory: options.folder, configureBuckets: [{ name: options.bucket }],
});
await store.configureBuckets();
const serve = store.callback();

// Nothing where it is signed well.
function complaint(request) {
  const given = request.headers.authorization ?? "";
  const parts = given.match(/^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/);
  if (!parts) return "AccessDenied";
  const [, id, region, names, signature] = parts;
  const headers = Object.fromEntries(names.split(";").map((name) => [name, request.headers[name]]));
  if (!headers.host || !headers["x-amz-date"] || !headers["x-amz-content-sha256"]) return "AccessDenied";
  const signed = aws4.sign(
    { service: "s3", region, method: request.method, path: request.url, headers, host: headers.host },
    { accessKeyId: id, secretAccessKey: options.secret },
  );
  const wanted = Object.entries(signed.headers).find(([name]) => name.toLowerCase() === "authorization")[1];
  return wanted.endsWith(`Signature=${signature}`) ? undefined : "SignatureDoesNotMatch";
}

function refuse(response, code, why) {
  process.stdout.write(JSON.stringify({ refused: why }) + "\n");
  response.writeHead(code, { "Content-Type": "application/xml", Connection: "close" });
  response.end(`<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${why}</Code><Message>Refused by the test.</Message></Error>`);
}

// The body is read to the end before it is handed on: an object whose hash is another one is never stored.
const server = createServer(async (request, response) => {
  const why = complaint(request);
  if (why) return refuse(response, 403, why);
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const hash = createHash("sha256").update(body).digest("hex");
  if (request.headers["x-amz-content-sha256"] !== hash) return refuse(response, 400, "XAmzContentSHA256Mismatch");
  const again = new PassThrough();
  again.end(body);
  for (const name of ["headers", "rawHeaders", "method", "url", "httpVersion", "socket", "connection"]) again[name] = request[name];
  serve(again, response);
});
server.listen(Number(options.port), "127.0.0.1", () => process.stdout.write("ready\n"));
process.on("SIGTERM", () => process.exit(0));
