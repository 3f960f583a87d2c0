// A node-opcua server that takes one user over encrypted channels from trusted clients alone, ready for its nodes.
import opcua from "node-opcua";
import { makeIdentity } from "./identity.mjs";

// options: the command line of a peer that serves; more: what else node-opcua's server is to know.
export async function makeServer(options, more = {}) {
  const { certificateFile, privateKeyFile, manager } = await makeIdentity(options);
  const server = new opcua.OPCUAServer({
    port: Number(options.port),
    hostname: "127.0.0.1",
    serverInfo: { applicationUri: options.uri, productUri: "urn:rltune:peer" },
    certificateFile,
    privateKeyFile,
    serverCertificateManager: manager,
    securityPolicies: [opcua.SecurityPolicy.Basic256Sha256],
    securityModes: [opcua.MessageSecurityMode.SignAndEncrypt],
    allowAnonymous: false,
    userManager: { isValidUser: (user, password) => user === options.user && password === options.password },
    ...more,
  });
  await server.initialize();
  return server;
}
