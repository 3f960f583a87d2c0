// A program that logs through OpenTelemetry's own SDK and exporter.
//
//   node otlp_logs.mjs --url http://127.0.0.1:8325/v1/logs --token TOKEN --encoding proto|json --entries N
//
// Prints {"exported": N} once the exporter has had an answer that it takes for success.
import { parseArgs } from "node:util";
import { SeverityNumber } from "@opentelemetry/api-logs";
import { OTLPLogExporter as JsonExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as ProtoExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { Resource } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";

const { values: options } = parseArgs({
  options: { url: { type: "string" }, token: { type: "string" }, encoding: { type: "string" }, entries: { type: "string" } },
});
const Exporter = options.encoding === "json" ? JsonExporter : ProtoExporter;
const exporter = new Exporter({
  url: options.url, headers: { Authorization: `Bearer ${options.token}` }, compression: "gzip",
});
let exported = 0;
const counting = {
  export(records, done) {
    exporter.export(records, (result) => {
      if (result.code === 0) exported += records.length;
      else process.stderr.write(`${result.error}\n`);
      done(result);
    });
  },
  shutdown: () => exporter.shutdown(),
};
const provider = new LoggerProvider({ resource: new Resource({ "service.name": `outside.${options.encoding}` }) });
provider.addLogRecordProcessor(new BatchLogRecordProcessor(counting, { maxExportBatchSize: 100, scheduledDelayMillis: 10 }));
const logger = provider.getLogger("peer");
for (let i = 0; i < Number(options.entries); i += 1)
  logger.emit({
    severityNumber: SeverityNumber.WARN, severityText: "WARN", body: `flow above its limit ${i}`, timestamp: Date.now(),
    attributes: { degrees: 83.5 + i, pump: "P-7", shut: false },
  });
await provider.forceFlush();
await provider.shutdown();
console.log(JSON.stringify({ exported }));
