// A WebSocket client of another project: node socket.mjs URL SCENARIO. Says on its standard output what became of it.
import WebSocket from "ws";

const [url, scenario] = process.argv.slice(2);
const say = (text) => process.stdout.write(`${text}\n`);
const socket = new WebSocket(url, { origin: scenario === "stranger" ? "https://evil" : "https://plant",
  rejectUnauthorized: false, autoPong: scenario !== "silent" });
socket.on("unexpected-response", (_, answer) => { say(`refused ${answer.statusCode}`); process.exit(); });
socket.on("error", (error) => say(`error ${error.message}`));
socket.on("close", (code, reason) => { say(`closed ${code} ${reason}`.trim()); process.exit(); });

const next = () => new Promise((done) => socket.once("message", (data, binary) => done([data, binary])));
const echo = async () => {
  for (const message of ["hello", "", "x".repeat(60_000), "grün", Buffer.from([0, 1, 255])]) {
    socket.send(message);
    const [data, binary] = await next();
    if (binary !== Buffer.isBuffer(message) || !Buffer.from(message).equals(data)) say("error: another echo");
  }
  socket.send("in ", { fin: false });
  socket.send("three ", { fin: false });
  socket.send("parts", { fin: true });
  say(`echo ${(await next())[0]}`);
  socket.close(4000, "done");
};
const take = () => {
  let bytes = 0;
  socket.on("message", (data) => { bytes += data.length; if (String(data) === "last") say(`took ${bytes}`); });
};
if (scenario === "fast") take();
socket.on("open", () => {
  if (scenario === "slow") {
    socket.pause();  // it sees no end either
    setTimeout(() => process.exit(), 5_000);
  }
  say("open");
  if (scenario === "echo") echo();
  if (scenario === "large") socket.send("x".repeat(70_000));
});
