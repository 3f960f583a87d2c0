// A client of the live values, of another project: node live.mjs URL CA_FILE TOKEN FRAMES [TAG...]. One frame a line on
// its standard output, then the end: "closed CODE REASON", or "refused STATUS".
import fs from "node:fs";
import WebSocket from "ws";

const [url, ca, token, frames, ...tags] = process.argv.slice(2);
const say = (text) => process.stdout.write(`${text}\n`);
const socket = new WebSocket(url, { ca: fs.readFileSync(ca), headers: { Authorization: `Bearer ${token}` } });
socket.on("unexpected-response", (_, answer) => { say(`refused ${answer.statusCode}`); process.exit(); });
socket.on("error", (error) => say(`error ${error.message}`));
socket.on("close", (code, reason) => { say(`closed ${code} ${reason}`.trim()); process.exit(); });
socket.on("open", () => socket.send(JSON.stringify({ subscribe: tags })));
let left = Number(frames);
socket.on("message", (text) => {
  say(String(text));
  left -= 1;
  if (left === 0) socket.close(1000);
});
