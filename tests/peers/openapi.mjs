// An OpenAPI document read by other projects' programs: whether it is one, which operation a request is, and whether an
// answer is what the document says.
import { Validator } from "@seriousme/openapi-schema-validator";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const kPages = ["/api/v1/openapi.json", "/api/v1/docs"]; // for people and generators, and no part of the document
const kMethods = ["get", "post", "put", "delete", "patch"];

export class Api {
  constructor(document) {
    this.document = document;
    this.ajv = new Ajv2020({ strict: true, allErrors: true, strictRequired: false });
    addFormats(this.ajv);
    this.ajv.addVocabulary(["components"]);
    this.ajv.addSchema({ $id: "api", components: { schemas: document.components.schemas } });
    this.operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      kMethods.filter((method) => methods[method]).map((method) => this.#operation(path, method, methods[method])));
    // Where two fit, the one with fewer names in braces is meant.
    this.operations.sort((one, other) => one.names.length - other.names.length);
  }

  #operation(path, method, told) {
    const parts = path.split(/\{[^}]*\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return { path, method: method.toUpperCase(), id: told.operationId, told,
      names: [...path.matchAll(/\{([^}]*)\}/g)].map((found) => found[1]),
      pattern: new RegExp(`^${parts.join("[^/]+")}$`) };
  }

  // What another project finds wrong with the document itself.
  async faults() {
    const { valid, errors } = await new Validator().validate(structuredClone(this.document));
    return valid ? [] : [].concat(errors).map((error) => JSON.stringify(error));
  }

  find(method, path) {
    return this.operations.find((one) => one.method === method && one.pattern.test(path));
  }

  resolved(node) {
    if (!node?.$ref) return node;
    return node.$ref.slice(2).split("/").reduce((at, name) => at[name.replaceAll("~1", "/")], this.document);
  }

  // A function of ajv's for {"$ref": "#/components/schemas/Login"}.
  validator(schema) {
    if (!schema.$ref) return this.ajv.compile(schema);
    return this.ajv.getSchema(`api${schema.$ref}`);
  }

  // What is wrong with an answer {path, status, type, body, headers?}; nothing: []. Outside of the table only problems are said.
  faultsOf(operation, answer) {
    const told = operation ? this.resolved(operation.told.responses[answer.status]) : this.document.components.responses.Failed;
    if (!told) return [`the document says nothing of the status ${answer.status}`];
    if (!operation && kPages.includes(answer.path)) return [];
    if (!operation && answer.status < 400) return ["nobody knows of it, and it is no error"];
    const faults = this.#headerFaults(told, answer);
    if (!told.content) return answer.body === "" ? faults : [...faults, "it has a body"];
    const [type, content] = Object.entries(told.content)[0];
    if (answer.type !== type) return [...faults, `it is of the type "${answer.type}", and not ${type}`];
    let body;
    try { body = JSON.parse(answer.body); } catch { return [...faults, "it is no JSON"]; }
    const validate = this.validator(content.schema);
    if (!validate(body)) faults.push(this.ajv.errorsText(validate.errors));
    if (answer.status >= 400 && body.status !== answer.status) faults.push("its status is not the one of HTTP");
    return faults;
  }

  // Those that say what a client goes on with.
  #headerFaults(told, { headers }) {
    if (!headers) return [];
    return ["Retry-After", "WWW-Authenticate"].filter((name) => told.headers?.[name] && !headers[name.toLowerCase()])
      .map((name) => `the header ${name} is missing`);
  }
}
