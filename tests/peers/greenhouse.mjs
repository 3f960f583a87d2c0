// A greenhouse behind an OPC UA server made with node-opcua: a plant that knows nothing of ours but its tag names.
//
//   node greenhouse.mjs --port 4841 --uri urn:rltune:peer:server --own FOLDER --trust CLIENT.der --folder SCRATCH
//                       --user NAME --password WORD
//
// Prints one JSON object once it serves: application_uri, namespace, url, and tags as `rltune twin serve --json` names
// them. Ten times a second its climate moves towards what its set-points ask for. What clients write is taken down in
// SCRATCH/writes.log. Ends on SIGTERM.
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { parseArguments } from "./identity.mjs";
import { makeServer } from "./secured_server.mjs";

const { options } = parseArguments(process.argv.slice(2));
const namespaceUri = "urn:rltune:peer:greenhouse";
const server = await makeServer(options);

const { addressSpace } = server.engine;
const namespace = addressSpace.registerNamespace(namespaceUri);
const plant = namespace.addObject({ organizedBy: addressSpace.rootFolder.objects, browseName: "Greenhouse" });
const tags = [];

function add(folder, name, dataType, initial, [low, high] = [0, 0]) {
  const variable = namespace.addVariable({
    componentOf: plant, browseName: name, nodeId: `s=${name}`, dataType, minimumSamplingInterval: 10,
    accessLevel: folder === "SetPoints" || folder === "Control" ? "CurrentRead | CurrentWrite" : "CurrentRead",
  });
  let value = initial;
  const show = () => variable.setValueFromSource({ dataType, value });
  variable.on("value_changed", (data) => {
    if (data.value.value !== value) appendFileSync(join(options.folder, "writes.log"), `${name} ${data.value.value}\n`);
    value = data.value.value;
  });
  show();
  tags.push({ name, node: `nsu=${namespaceUri};s=${name}`, folder, unit: "", range: [low, high] });
  return { get: () => value, set: (next) => { value = next; show(); } };
}

const dry = add("Sensors", "dry_weight", "Double", 0.0035);
const co2 = add("Sensors", "co2", "Double", 500);
const temperature = add("Sensors", "air_temperature", "Double", 15);
const humidity = add("Sensors", "relative_humidity", "Double", 70);
const weather = [add("Weather", "global_radiation", "Double", 100), add("Weather", "outdoor_co2", "Double", 400),
  add("Weather", "outdoor_temperature", "Double", 5), add("Weather", "outdoor_humidity", "Double", 80)];
const supply = add("SetPoints", "co2_supply", "Double", 0, [0, 1.2]);
const ventilation = add("SetPoints", "ventilation", "Double", 0, [0, 7.5]);
const heating = add("SetPoints", "heating", "Double", 50, [0, 150]);
for (const alive of ["guard_alive", "agent_alive"]) add("Control", alive, "UInt32", 0);

const timer = setInterval(() => {
  const towards = (tag, target) => tag.set(tag.get() + 0.1 * (target - tag.get()));
  towards(temperature, 5 + heating.get() / 6.1 / (1 + 0.2 * ventilation.get()));
  towards(co2, 400 + 400 * supply.get() / (1 + ventilation.get()));
  towards(humidity, 85 - 4 * ventilation.get());
  dry.set(dry.get() * 1.0001);
  for (const tag of weather) tag.set(tag.get());
}, 100);

await server.start();
process.stdout.write(JSON.stringify({
  url: `opc.tcp://127.0.0.1:${options.port}`, application_uri: options.uri, namespace: namespaceUri,
  user: options.user, start: new Date().toISOString(), tags,
}) + "\n");

process.on("SIGTERM", async () => {
  clearInterval(timer);
  await server.shutdown();
  process.exit(0);
});
