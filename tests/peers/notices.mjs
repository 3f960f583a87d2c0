// Who is called when something is wrong: a webhook, PagerDuty's Events API v2 and a mail server (smtp-server), each of
// which looks closely at what it is given (mailparser reads the mail).
//
//   node notices.mjs --folder CERTIFICATES --key WORD --routing-key WORD --password WORD [--refuse N]
//
// CERTIFICATES holds server.pem and server.key. Prints {"https": PORT, "smtps": PORT, "smtp": PORT} once it serves, and
// each notice as a line of JSON. /hook takes what is signed with WORD; /v2/enqueue events; the first N requests are
// answered with 503, and the first N mails with 451. /refused is 404 for ever. The mail user is rltune. Ends on SIGTERM.
import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { parseArgs } from "node:util";
import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";

const text = { type: "string" };
const { values: options } = parseArgs({
  options: { folder: text, key: text, "routing-key": text, password: text, refuse: { type: "string", default: "0" } },
});
const tls = { key: readFileSync(`${options.folder}/server.key`), cert: readFileSync(`${options.folder}/server.pem`) };
const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");
let requests_refused = Number(options.refuse), mails_refused = Number(options.refuse);

function signed(request, body) {
  const wanted = Buffer.from("sha256=" + createHmac("sha256", options.key).update(body).digest("hex"));
  const given = Buffer.from(request.headers["x-rltune-signature"] ?? "");
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}

// What the Events API v2 says an event is: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
function faults_of(event) {
  const faults = [];
  const text = (value, most) => typeof value === "string" && value.length > 0 && value.length <= most;
  const only = (object, names, where) => {
    for (const name of Object.keys(object)) if (!names.includes(name)) faults.push(`${where}${name} is unknown`);
  };
  only(event, ["routing_key", "event_action", "dedup_key", "payload", "images", "links", "client", "client_url"], "");
  if (event.routing_key !== options["routing-key"]) faults.push("routing_key");
  if (!["trigger", "acknowledge", "resolve"].includes(event.event_action)) faults.push("event_action");
  if (!text(event.dedup_key, 255)) faults.push("dedup_key");
  if (event.event_action !== "trigger") return event.payload ? [...faults, "a payload without a trigger"] : faults;
  const payload = event.payload ?? {};
  only(payload, ["summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"], "payload.");
  if (!text(payload.summary, 1024)) faults.push("payload.summary");
  if (!text(payload.source, 1024)) faults.push("payload.source");
  if (!["critical", "error", "warning", "info"].includes(payload.severity)) faults.push("payload.severity");
  if (payload.timestamp && Number.isNaN(Date.parse(payload.timestamp))) faults.push("payload.timestamp");
  if (payload.custom_details && typeof payload.custom_details !== "object") faults.push("payload.custom_details");
  return faults;
}

async function serve(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const answer = (status, json) => response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(json));
  if (request.url === "/refused") return answer(404, {});
  if (requests_refused-- > 0) return answer(503, {});
  if (request.url === "/hook") {
    say({ hook: JSON.parse(body), signed: signed(request, body), type: request.headers["content-type"] });
    return answer(200, {});
  }
  const event = JSON.parse(body);
  const faults = faults_of(event);
  say({ event, faults });
  if (faults.length > 0) return answer(400, { status: "invalid event", message: "Event object is invalid", errors: faults });
  answer(202, { status: "success", message: "Event processed", dedup_key: event.dedup_key });
}

const mail = (secure) => new SMTPServer({
  ...tls, secure, authOptional: false, logger: false,
  onAuth(auth, session, done) {
    if (!session.secure && !session.tlsOptions) return done(new Error("in the clear"));
    const right = auth.username === "rltune" && auth.password === options.password;
    done(right ? null : new Error("no such user"), { user: auth.username });
  },
  onData(stream, session, done) {
    const chunks = [];
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("end", async () => {
      if (mails_refused-- > 0) return done(Object.assign(new Error("later"), { responseCode: 451 }));
      const raw = Buffer.concat(chunks).toString();
      const parsed = await simpleParser(raw);
      say({
        mail: { subject: parsed.subject, from: parsed.from?.text, to: parsed.to?.text, id: parsed.messageId,
          reply_to: parsed.inReplyTo ?? null, references: parsed.references ?? null, text: parsed.text, date: parsed.date },
        sender: session.envelope.mailFrom.address, recipients: session.envelope.rcptTo.map((to) => to.address),
        secure: session.secure, raw,
      });
      done();
    });
  },
});

const https = createServer(tls, serve), smtps = mail(true), smtp = mail(false);
for (const server of [smtps, smtp]) server.on("error", () => {});  // a client that broke off
const listening = (server) => new Promise((done) => server.listen(0, "127.0.0.1", done));
await Promise.all([https, smtps, smtp].map(listening));
say({ https: https.address().port, smtps: smtps.server.address().port, smtp: smtp.server.address().port });
process.on("SIGTERM", () => process.exit(0));
