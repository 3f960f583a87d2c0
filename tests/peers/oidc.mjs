// A provider of OpenID Connect (oidc-provider), where whoever comes is signed in at once as the URL's login_hint says.
//
//   node oidc.mjs --folder CERTIFICATES --callback URL
//
// CERTIFICATES holds ca.pem, server.pem and server.key. Its clients are "RS256", "ES256" and "EdDSA", each with tokens signed
// so, and "other", of the secret "a secret of the client". Prints {"port": N} once it serves. GET /spoil/HOW spoils the
// id_token of later logins with the provider's own key: none, hmac, expired, future, audience, issuer, nonce, claims,
// signature; "strong" says that a second factor was used. GET /spoil/nothing ends that. GET /visit?URL goes there as a browser does, with cookies and redirects, as
// long as it stays here, and answers with the URL that it is sent to then. Ends on SIGTERM.
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, request } from "node:https";
import { parseArgs } from "node:util";
import Provider from "oidc-provider";

const text = { type: "string" };
const { values: options } = parseArgs({ options: { folder: text, callback: text } });
const read = (name) => readFileSync(`${options.folder}/${name}`);
const jwk = (pair, kid, alg) => ({ ...pair.privateKey.export({ format: "jwk" }), kid, alg, use: "sig" });
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const keys = [
  jwk(rsa, "r", "RS256"),
  jwk(generateKeyPairSync("ec", { namedCurve: "P-256" }), "e", "ES256"),
  jwk(generateKeyPairSync("ed25519"), "o", "EdDSA"),
];
const client = (id, algorithm) => ({
  client_id: id, client_secret: "a secret of the client", redirect_uris: [options.callback],
  grant_types: ["authorization_code"], response_types: ["code"], id_token_signed_response_alg: algorithm,
});

let spoil = "nothing";
const encoded = (object) => Buffer.from(JSON.stringify(object)).toString("base64url");
const decoded = (part) => JSON.parse(Buffer.from(part, "base64url"));
function spoilt(token) {
  const [head, body, signature] = token.split(".");
  const header = decoded(head), claims = decoded(body), now = Math.floor(Date.now() / 1000);
  const signed = (more) => {
    const text = `${head}.${encoded({ ...claims, ...more })}`;
    return `${text}.${sign("sha256", Buffer.from(text), rsa.privateKey).toString("base64url")}`;
  };
  switch (spoil) {
    case "none": return `${encoded({ alg: "none" })}.${body}.`;
    case "hmac": {
      const text = `${encoded({ ...header, alg: "HS256" })}.${body}`;
      const key = rsa.publicKey.export({ type: "spki", format: "pem" });
      return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
    }
    case "signature": return `${head}.${body}.${signature.slice(0, -8)}AAAAAAAA`;
    case "claims": return `${head}.${encoded({ ...claims, preferred_username: "admin" })}.${signature}`;
    case "expired": return signed({ iat: now - 7200, exp: now - 3600 });
    case "future": return signed({ iat: now + 3600, exp: now + 7200 });
    case "audience": return signed({ aud: "other" });
    case "issuer": return signed({ iss: "https://other.example.com" });
    case "strong": return signed({ acr: "gold", amr: ["pwd", "otp"] });
    case "nonce": return signed({ nonce: "another" });
    default: return token;
  }
}

function get(url, cookies) {
  return new Promise((resolve, reject) => {
    const headers = { Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") };
    request(url, { ca: read("ca.pem"), headers }, async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      for (const cookie of response.headers["set-cookie"] ?? []) {
        const [name, value] = cookie.split(";")[0].split(/=(.*)/s);
        cookies.set(name, value);
      }
      resolve({ status: response.statusCode, location: response.headers.location, body: Buffer.concat(chunks).toString() });
    }).on("error", reject).end();
  });
}
async function visit(first) {
  const cookies = new Map();
  let url = new URL(first);
  for (const home = url.origin; url.origin === home;) {
    const answer = await get(url, cookies);
    if (!answer.location) return `${answer.status} ${answer.body}`;
    url = new URL(answer.location, url);
  }
  return url.href;
}

const server = createServer({ cert: read("server.pem"), key: read("server.key") });
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address();
const provider = new Provider(`https://127.0.0.1:${port}`, {
  clients: [client("RS256", "RS256"), client("ES256", "ES256"), client("EdDSA", "EdDSA"), client("other", "RS256")],
  jwks: { keys },
  claims: { openid: ["sub"], profile: ["preferred_username"], email: ["email", "email_verified"] },
  conformIdTokenClaims: false,
  cookies: { keys: ["a key of the test"] },
  enabledJWA: { idTokenSigningAlgValues: ["RS256", "ES256", "EdDSA"] },
  features: { devInteractions: { enabled: false } },
  pkce: { required: () => true },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: () => ({ sub, preferred_username: sub, email: `${sub}@example.com`, email_verified: false }),
  }),
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope("openid profile email");
    await grant.save();
    return grant;
  },
});
provider.use(async (ctx, next) => {
  if (ctx.path.startsWith("/spoil/")) {
    spoil = ctx.path.slice(7);
    ctx.body = spoil;
    return;
  }
  if (ctx.path === "/visit") {
    ctx.body = await visit(decodeURIComponent(ctx.querystring));
    return;
  }
  if (ctx.path.startsWith("/interaction/")) {
    const { params } = await provider.interactionDetails(ctx.req, ctx.res);
    ctx.respond = false;
    const result = params.login_hint ? { login: { accountId: params.login_hint } } : { error: "access_denied" };
    await provider.interactionFinished(ctx.req, ctx.res, result);
    return;
  }
  await next();
  if (ctx.path === "/token" && ctx.body?.id_token) ctx.body.id_token = spoilt(ctx.body.id_token);
});
server.on("request", provider.callback());
console.log(JSON.stringify({ port }));
process.on("SIGTERM", () => process.exit(0));
