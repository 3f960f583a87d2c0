// Answers of an API, held against its document by other projects: node api_answers.mjs OPENAPI_JSON ANSWERS
// ANSWERS has one object a line: {"method", "path", "status", "type", "body"}. What is wrong stands on the standard output, a line
// each, and the last line is {"answers": 12, "operations": {"login": {"200": 3}}}; the status is 1 where anything is wrong.
import fs from "node:fs";
import { Api } from "./openapi.mjs";

const [document, answers] = process.argv.slice(2).map((file) => fs.readFileSync(file, "utf8"));
const api = new Api(JSON.parse(document));
const faults = (await api.faults()).map((fault) => `the document: ${fault}`);
const operations = Object.fromEntries(api.operations.map((operation) => [operation.id, {}]));
const lines = answers.split("\n").filter(Boolean);
for (const line of lines) {
  const answer = JSON.parse(line);
  const operation = api.find(answer.method, answer.path);
  for (const fault of api.faultsOf(operation, answer))
    faults.push(`${answer.method} ${answer.path} ${answer.status}: ${fault}: ${answer.body.slice(0, 300)}`);
  if (operation) operations[operation.id][answer.status] = (operations[operation.id][answer.status] ?? 0) + 1;
}
for (const fault of [...new Set(faults)].slice(0, 20)) console.log(fault);
console.log(JSON.stringify({ answers: lines.length, operations }));
process.exitCode = faults.length === 0 ? 0 : 1;
