// A collector of traces with OpenTelemetry's own messages: takes OTLP over HTTP and prints a line of JSON a span.
//   node collector.mjs [--port N]
// First line: {"url": ...}; then {"service", "name", "kind", "trace", "span", "parent", "start", "end", "failed",
// "attributes"}, times in nanoseconds as text.
import http from "node:http";
import otlp from "@opentelemetry/otlp-transformer/build/src/generated/root.js";

const { ExportTraceServiceRequest, ExportTraceServiceResponse } = otlp.opentelemetry.proto.collector.trace.v1;
const at = process.argv.indexOf("--port");
const port = at > 0 ? Number(process.argv[at + 1]) : 0;

const hex = (bytes) => Buffer.from(bytes ?? []).toString("hex");
const attributesOf = (list) =>
  Object.fromEntries((list ?? []).map(({ key, value }) => [key, value.stringValue ?? value.doubleValue ?? Number(value.intValue)]));

function* spansOf(request) {
  for (const { resource, scopeSpans } of request.resourceSpans)
    for (const { spans } of scopeSpans)
      for (const span of spans)
        yield {
          service: attributesOf(resource.attributes)["service.name"],
          name: span.name,
          kind: span.kind,
          trace: hex(span.traceId),
          span: hex(span.spanId),
          parent: hex(span.parentSpanId),
          start: String(span.startTimeUnixNano),
          end: String(span.endTimeUnixNano),
          failed: span.status?.code === 2,
          attributes: attributesOf(span.attributes),
        };
}

const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const wanted = request.method === "POST" && request.url === "/v1/traces";
    if (!wanted || request.headers["content-type"] !== "application/x-protobuf") {
      response.writeHead(400).end();
      return;
    }
    for (const span of spansOf(ExportTraceServiceRequest.decode(Buffer.concat(parts))))
      process.stdout.write(JSON.stringify(span) + "\n");
    response.writeHead(200, { "content-type": "application/x-protobuf" });
    response.end(ExportTraceServiceResponse.encode(ExportTraceServiceResponse.create({})).finish());
  });
});
server.listen(port, "127.0.0.1", () =>
  process.stdout.write(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}/v1/traces` }) + "\n"));
