// The OpenAPI document as a client in TypeScript.
#include <algorithm>
#include <format>

#include "rltune/api/documents.hpp"
#include "rltune/api/json.hpp"
#include "rltune/api/operation.hpp"

namespace rltune::api {
namespace {

// What does not depend on the operations.
constexpr std::string_view kBase = R"ts(
/** The gateway refused; `problem` says why (RFC 9457). */
export class ProblemError extends Error {
  constructor(readonly problem: Problem, readonly retryAfterSeconds?: number) {
    super(problem.detail || problem.title);
    this.name = "ProblemError";
  }
  get status(): number { return this.problem.status; }
}

export interface ClientOptions {
  /** "https://gateway.example:8443"; empty: where the page came from. */
  url?: string;
  /** Instead of the global one, to choose certificates or a proxy. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

export class Client {
  private accessToken: string | undefined;
  private refreshToken: string | undefined;
  private csrfToken: string | undefined;
  private refreshing: Promise<boolean> | undefined;

  constructor(private readonly options: ClientOptions = {}) {}

  /** Signs in and stays so: an access token that has ended is renewed by itself. */
  async signIn(login: Login): Promise<void> { this.keep(await this.login(login)); }
  /** For programs. Their tokens cannot be renewed: sign in again before they end. */
  async signInService(service: ServiceLogin): Promise<void> { this.keep(await this.serviceToken(service)); }
  async signOut(): Promise<void> {
    await this.logout();
    this.accessToken = this.refreshToken = this.csrfToken = undefined;
  }

  private keep(tokens: Tokens): void {
    this.accessToken = tokens.access_token;
    this.refreshToken = tokens.refresh_token;
    this.csrfToken = tokens.csrf_token;
  }
  // Once for however many calls that wait for it: a refresh token that is shown twice ends the session.
  private renewed(): Promise<boolean> {
    this.refreshing ??= this.send("POST", "/api/v1/auth/refresh", this.csrfToken ? {} : { refresh_token: this.refreshToken })
      .then(async (answer) => {
        if (answer.ok) this.keep((await answer.json()) as Tokens);
        return answer.ok;
      })
      .finally(() => { this.refreshing = undefined; });
    return this.refreshing;
  }
  private send(method: string, path: string, body?: unknown): Promise<Response> {
    const headers: Record<string, string> = {};
    if (this.accessToken !== undefined) headers["Authorization"] = `Bearer ${this.accessToken}`;
    if (this.csrfToken !== undefined) headers["X-CSRF-Token"] = this.csrfToken;
    const init: RequestInit = { method, headers, credentials: "same-origin" };
    if (body !== undefined) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(body);
    }
    return (this.options.fetch ?? fetch)((this.options.url ?? "") + path, init);
  }
  private async call<T>(open: boolean, method: string, path: string, body?: unknown): Promise<T> {
    let answer = await this.send(method, path, body);
    const renewable = this.refreshToken !== undefined || this.csrfToken !== undefined;
    if (answer.status === 401 && !open && renewable && (await this.renewed())) answer = await this.send(method, path, body);
    if (!answer.ok) throw await problemOf(answer);
    return (answer.status === 204 ? undefined : await answer.json()) as T;
  }
)ts";

constexpr std::string_view kEnd = R"ts(}

async function problemOf(answer: Response): Promise<ProblemError> {
  const retryAfter = answer.headers.get("Retry-After");
  let problem: Problem = { type: "about:blank", title: answer.statusText, status: answer.status, detail: "" };
  if (answer.headers.get("Content-Type") === "application/problem+json") problem = (await answer.json()) as Problem;
  return new ProblemError(problem, retryAfter === null ? undefined : Number(retryAfter));
}
)ts";

// Where an operation can be asked for something in its query.
constexpr std::string_view kQuery = R"ts(
function query(values: object): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return given.length === 0 ? "" : "?" + new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
}
)ts";

std::string name_of(const Json& reference) {
  const std::string text = reference.get<std::string>();
  return text.substr(text.rfind('/') + 1);
}

std::string type_of(const Json& schema) {
  if (schema.contains("$ref")) return name_of(schema["$ref"]);
  if (schema.contains("enum")) {
    std::string words;
    for (const Json& word : schema["enum"]) words += (words.empty() ? "" : " | ") + word.dump();
    return words;
  }
  if (schema.contains("type") && schema["type"].is_array()) {  // a number in a list, or none
    Json there = schema;
    there["type"] = schema["type"].front();
    return type_of(there) + " | null";
  }
  std::string type = schema.value("type", "object");
  if (type == "integer" || type == "number") return "number";
  if (type == "array") return "Array<" + type_of(schema["items"]) + ">";
  if (type == "object") return "Record<string, " + type_of(schema["additionalProperties"]) + ">";
  return type;
}

std::string note(std::string_view indent, const std::string& text) {
  std::string safe = text;
  for (std::size_t at = 0; (at = safe.find("*/", at)) != std::string::npos;) safe.replace(at, 2, "* /");
  return text.empty() ? std::string() : std::format("{}/** {} */\n", indent, safe);
}

std::string interface_of(const std::string& name, const Json& schema) {
  std::string text = std::format("\nexport interface {} {{\n", name);
  const Json required = schema.value("required", Json::array());
  for (const auto& [field, told] : schema["properties"].items()) {
    const bool needed = std::ranges::find(required, Json(field)) != required.end();
    text += note("  ", told.value("description", ""));
    text += std::format("  {}{}: {};\n", field, needed ? "" : "?", type_of(told));
  }
  return text + "}\n";
}

// "/api/v1/agents/{agent}" as a template literal, and the function's parameters.
struct Signature {
  std::string parameters, path;
};

void add_parameter(Signature& signature, const std::string& text) {
  signature.parameters += (signature.parameters.empty() ? "" : ", ") + text;
}

Signature signature_of(const std::string& path, const Json& told) {
  Signature signature{.parameters = {}, .path = path};
  std::string asked;
  bool may_be_left_out = true;
  for (const Json& parameter : told["parameters"]) {
    if (!parameter.contains("name")) continue;  // the correlation id, which every call may have
    const std::string name = parameter["name"], braces = "{" + name + "}";
    if (parameter["in"] == "path") {
      add_parameter(signature, name + ": string");
      signature.path.replace(signature.path.find(braces), braces.size(), "${encodeURIComponent(" + name + ")}");
    } else if (parameter["in"] == "query") {
      const bool required = parameter.value("required", false);
      may_be_left_out = may_be_left_out && !required;
      asked += std::format("{}{}: {}; ", name, required ? "" : "?", type_of(parameter["schema"]));
    }
  }
  const auto body = Json::json_pointer("/requestBody/content/application~1json/schema/$ref");
  if (told.contains(body)) add_parameter(signature, "body: " + name_of(told[body]));
  if (!asked.empty()) {
    add_parameter(signature, std::format("asked: {{ {}}}{}", asked, may_be_left_out ? " = {}" : ""));
    signature.path += "${query(asked)}";
  }
  return signature;
}

std::string function_of(const std::string& path, std::string method, const Json& told) {
  const char* const success = told["responses"].contains("202") ? "202" : "200";
  const Json::json_pointer answer(std::format("/responses/{}/content/application~1json/schema/$ref", success));
  const std::string type = told.contains(answer) ? name_of(told[answer]) : "void";
  const auto [parameters, target] = signature_of(path, told);
  for (char& letter : method) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  const std::string about =
      told.value("summary", "") + (told.contains("description") ? ". " + told.value("description", "") : "");
  return std::format("\n{}  {}({}): Promise<{}> {{\n    return this.call({}, \"{}\", `{}`{});\n  }}\n",
                     note("  ", about), told.value("operationId", ""), parameters, type, told["security"].empty(),
                     method, target, told.contains("requestBody") ? ", body" : "");
}

}  // namespace

std::string typescript_client(std::string_view version) {
  const Json document = Json::parse(openapi(version));
  std::string text =
      std::format("// A client of the gateway of RLTune {}, made from its OpenAPI document: do not edit.\n", version);
  for (const auto& [name, schema] : document["components"]["schemas"].items()) text += interface_of(name, schema);
  text += kBase;
  for (const auto& [path, methods] : document["paths"].items())
    for (const auto& [method, told] : methods.items())
      if (!told["responses"].contains("302"))  // a browser is sent there, no program calls it
        text += function_of(path, method, told);
  text += kEnd;
  return text.contains("${query(") ? text.append(kQuery) : text;
}

}  // namespace rltune::api
