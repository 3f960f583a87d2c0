// Keys and certificates in the DER form RLTune keeps them in, as node-opcua wants them: PEM files, and
// peers trusted in a certificate manager that trusts nobody by itself.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import opcua from "node-opcua";

function pem(der, label) {
  const lines = der.toString("base64").match(/.{1,64}/g).join("\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

// own: a folder with cert.der and key.der; trust: certificates (DER files) of peers.
export async function makeIdentity({ own, trust, folder }) {
  mkdirSync(folder, { recursive: true });
  const certificateFile = join(folder, "own.pem");
  const privateKeyFile = join(folder, "own.key.pem");
  writeFileSync(certificateFile, pem(readFileSync(join(own, "cert.der")), "CERTIFICATE"));
  writeFileSync(privateKeyFile, pem(readFileSync(join(own, "key.der")), "PRIVATE KEY"), { mode: 0o600 });
  const manager = new opcua.OPCUACertificateManager({
    rootFolder: join(folder, "pki"),
    automaticallyAcceptUnknownCertificate: false,
  });
  await manager.initialize();
  for (const file of trust) await manager.trustCertificate(readFileSync(file));
  return { certificateFile, privateKeyFile, manager };
}

// "--name value" pairs; a name given twice becomes a list.
export function parseArguments(argv) {
  const options = { trust: [] };
  const rest = [];
  for (let i = 0; i < argv.length; ++i) {
    if (!argv[i].startsWith("--")) rest.push(argv[i]);
    else if (argv[i] === "--trust") options.trust.push(argv[++i]);
    else options[argv[i].slice(2)] = argv[++i];
  }
  return { options, rest };
}
