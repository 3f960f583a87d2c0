// An OPC UA server made with node-opcua: the plant another project would put before us.
//
//   node server.mjs --port 4841 --uri urn:rltune:peer:server --own FOLDER --trust CLIENT.der --folder SCRATCH
//                   --user NAME --password WORD [--later CLIENT.der]
//
// Trusts --later as well once it gets SIGUSR1. Prints "ready" once it serves, and every value written to it as JSON. Ends on SIGTERM.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import opcua from "node-opcua";
import { parseArguments } from "./identity.mjs";
import { makeServer } from "./secured_server.mjs";

const { options } = parseArguments(process.argv.slice(2));
const namespaceUri = "urn:rltune:peer:plant";
const server = await makeServer(options, {
  securityPolicies: [opcua.SecurityPolicy.Basic256Sha256, opcua.SecurityPolicy.Aes256_Sha256_RsaPss],
  nodeset_filename: [opcua.nodesets.standard, join(import.meta.dirname, "types.NodeSet2.xml")],
});

const { addressSpace } = server.engine;
const namespace = addressSpace.registerNamespace(namespaceUri);
const plant = namespace.addObject({ organizedBy: addressSpace.rootFolder.objects, browseName: "Plant" });

function report(name, value) {
  process.stdout.write(JSON.stringify({ written: name, value }) + "\n");
}

// A variable whose writes are reported.
function add(name, dataType, initial, more = {}) {
  const variable = namespace.addVariable({
    componentOf: plant, browseName: name, nodeId: `s=${name}`, dataType, minimumSamplingInterval: 10,
    ...more,
  });
  const type = more.wireType ?? dataType;
  variable.setValueFromSource({ dataType: type, arrayType: more.arrayType, value: initial });
  variable.on("value_changed", (data) => report(name, data.value.value));
  return variable;
}

const temperature = namespace.addAnalogDataItem({
  componentOf: plant, browseName: "Temperature", nodeId: "s=Temperature", dataType: "Double",
  engineeringUnitsRange: { low: -20, high: 60 }, engineeringUnits: opcua.standardUnits.degree_celsius,
  minimumSamplingInterval: 10,
});
let value = 20;
temperature.setValueFromSource({ dataType: "Double", value });
// Slower than twice the 50 ms that this server samples at: every change is a sample.
const timer = setInterval(() => temperature.setValueFromSource({ dataType: "Double", value: (value += 0.5) }), 125);

add("Valve", "Double", 0);
add("Pump", "Boolean", false);
add("Stage", "Int16", 1);
add("Label", "String", "north wing");
add("Forecast", "Double", new Float64Array([1, 2, 3, 4]),
    { valueRank: 1, arrayDimensions: [4], arrayType: opcua.VariantArrayType.Array });

const types = addressSpace.getNamespaceIndex("urn:rltune:peer:types");
add("Mode", `ns=${types};i=3001`, 2, { wireType: "Int32" });

const tankType = addressSpace.findDataType("TankType", types);
const tank = namespace.addVariable({
  componentOf: plant, browseName: "Tank", nodeId: "s=Tank", dataType: tankType.nodeId, minimumSamplingInterval: 10,
});
tank.setValueFromSource({
  dataType: "ExtensionObject",
  value: addressSpace.constructExtensionObject(tankType, { name: "T1", level: 1.25, history: [0.5, 0.75], mode: 1 }),
});

await server.start();
process.stdout.write("ready\n");

// As its operator does with a certificate that it has refused so far.
process.on("SIGUSR1", () => server.serverCertificateManager.trustCertificate(readFileSync(options.later)));
process.on("SIGTERM", async () => {
  clearInterval(timer);
  await server.shutdown(0);
  process.exit(0);
});
