// node-opcua's client against one of our servers.
//
//   node client.mjs --url opc.tcp://127.0.0.1:4840 --uri urn:of:the:client --own FOLDER --trust SERVER.der
//                   --folder SCRATCH --user NAME --password WORD COMMAND...
//
// Commands: read NODE, write NODE NUMBER, watch NODE COUNT, history NODE. NODE is "nsu=<URI>;s=<identifier>".
// Prints one JSON object: {"results": [...]}, exit 1 with {"error": ...}.
import opcua from "node-opcua";
import { makeIdentity, parseArguments } from "./identity.mjs";

const { options, rest } = parseArguments(process.argv.slice(2));

// "nsu=urn:x;s=y" -> "ns=3;s=y" with the server's own index.
async function resolve(session, text) {
  const match = /^nsu=([^;]+);(.+)$/.exec(text);
  if (!match) return text;
  const index = (await session.readNamespaceArray()).indexOf(match[1]);
  if (index < 0) throw new Error(`the server has no namespace ${match[1]}`);
  return `ns=${index};${match[2]}`;
}

function plain(data) {
  const value = data.value?.value;
  return {
    value: ArrayBuffer.isView(value) ? Array.from(value) : value,
    dataType: opcua.DataType[data.value?.dataType],
    status: data.statusCode.name,
    sourceTimestamp: data.sourceTimestamp,
  };
}

async function write(session, nodeId, number) {
  const current = await session.read({ nodeId, attributeId: opcua.AttributeIds.Value });
  const dataType = current.value.dataType;
  const value = dataType === opcua.DataType.Boolean ? number !== 0 : number;
  const status = await session.write({ nodeId, attributeId: opcua.AttributeIds.Value, value: { value: { dataType, value } } });
  const after = await session.read({ nodeId, attributeId: opcua.AttributeIds.Value });
  return { status: status.name, readBack: plain(after).value };
}

async function watch(session, nodeId, count) {
  const subscription = await session.createSubscription2({ requestedPublishingInterval: 50, publishingEnabled: true,
                                                           requestedMaxKeepAliveCount: 10, requestedLifetimeCount: 1000 });
  const item = await subscription.monitor({ nodeId, attributeId: opcua.AttributeIds.Value },
                                          { samplingInterval: 20, queueSize: 100, discardOldest: true }, opcua.TimestampsToReturn.Both);
  const values = [];
  await new Promise((done, failed) => {
    const timer = setTimeout(() => failed(new Error(`only ${values.length} changes in 10 s`)), 10000);
    item.on("changed", (data) => {
      values.push(plain(data));
      if (values.length >= count) { clearTimeout(timer); done(); }
    });
  });
  await subscription.terminate();
  return values;
}

async function run(session) {
  const results = [];
  while (rest.length > 0) {
    const command = rest.shift();
    const nodeId = await resolve(session, rest.shift());
    if (command === "read") results.push(plain(await session.read({ nodeId, attributeId: opcua.AttributeIds.Value })));
    else if (command === "write") results.push(await write(session, nodeId, Number(rest.shift())));
    else if (command === "watch") results.push(await watch(session, nodeId, Number(rest.shift())));
    else if (command === "history") {
      const history = await session.readHistoryValue(nodeId, new Date(0), new Date("2100-01-01"), { numValuesPerNode: 1000 });
      results.push((history.historyData?.dataValues ?? []).map(plain));
    } else throw new Error(`unknown command ${command}`);
  }
  return results;
}

let client;
try {
  const { certificateFile, privateKeyFile, manager } = await makeIdentity(options);
  client = opcua.OPCUAClient.create({
    applicationUri: options.uri, certificateFile, privateKeyFile, clientCertificateManager: manager,
    securityMode: opcua.MessageSecurityMode.SignAndEncrypt, securityPolicy: opcua.SecurityPolicy[options.policy ?? "Basic256Sha256"],
    endpointMustExist: false, connectionStrategy: { maxRetry: 0 },
  });
  await client.connect(options.url);
  const session = await client.createSession({ type: opcua.UserTokenType.UserName, userName: options.user, password: options.password });
  const results = await run(session);
  await session.close();
  process.stdout.write(JSON.stringify({ results }) + "\n");
} catch (error) {
  process.stdout.write(JSON.stringify({ error: error.message }) + "\n");
  process.exitCode = 1;
} finally {
  await client?.disconnect().catch(() => {});
}
process.exit();
