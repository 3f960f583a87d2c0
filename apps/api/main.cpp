// rltune-api serves the noun api: a site's gateway called from a shell, from any host that reaches it.
#include <algorithm>
#include <format>
#include <iostream>
#include <memory>
#include <print>

#include "arguments.hpp"
#include "command.hpp"
#include "rltune/api/documents.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/version.hpp"
#include "session_file.hpp"

namespace rltune::api_app {
namespace {

using command::kWrongUsage;
using command::stop;

constexpr const char* kExamples =
    "Examples:\n"
    "  rltune api login ada --gateway https://localhost:8443 --ca data/access/certificate.pem\n"
    "  rltune api list\n"
    "  rltune api call getMode\n"
    "  rltune api call setMode mode=manual reason='cleaning the vents'\n"
    "  rltune api typescript > client.ts\n"
    "\nA sign-in is kept in ~/.local/state/rltune/session.json, which only its owner may read, and renewed by itself.";

struct LoginOptions {
  std::string user, gateway;
  std::filesystem::path ca_file, session = default_session_file();
};

struct CallOptions {
  std::string operation;
  std::vector<std::string> arguments;
  std::filesystem::path session = default_session_file();
};

void login(const LoginOptions& options) {
  std::string password;
  std::print(stderr, "Password of {}: ", options.user);
  if (!std::getline(std::cin, password) || password.empty())
    stop(kWrongUsage, "the password is read from standard input");
  std::error_code none;
  const auto ca_file = options.ca_file.empty() ? options.ca_file : std::filesystem::absolute(options.ca_file, none);
  client::Client site(options.gateway, {.ca_file = ca_file});
  if (const auto in = site.sign_in({.user = options.user, .password = password}); !in) stop(in.error());
  if (const auto kept = write_session(options.session, {options.gateway, ca_file, site.tokens()}); !kept)
    stop(kept.error());
  std::println(stderr, "signed in at {}", options.gateway);
}

void call(const CallOptions& options) {
  const api::Operation* operation = client::find_operation(options.operation);
  if (operation == nullptr)
    stop(kWrongUsage, std::format("there is no operation {}; see: rltune api list", options.operation));
  const auto arguments = arguments_of(*operation, options.arguments);
  if (!arguments) stop(kWrongUsage, arguments.error().message);
  auto session = read_session(options.session);
  if (!session) stop(session.error());
  client::Client site(session->gateway, {.ca_file = session->ca_file});
  site.use(session->tokens);
  const auto answer = site.call_json(*operation, arguments->parts, arguments->body, arguments->query);
  // What was renewed meanwhile is good once: it has to be kept, whatever came of the call.
  if (site.tokens().refresh_token != session->tokens.refresh_token) {
    session->tokens = site.tokens();
    if (const auto kept = write_session(options.session, *session); !kept) stop(kept.error());
  }
  if (!answer) stop(answer.error());
  if (!answer->empty()) std::println("{}", api::Json::parse(*answer).dump(2));
}

void list() {
  for (const api::Operation& operation : api::operations())
    std::println("{:<16} {:<7} {:<52} {}\n{:16} {}", operation.id, operation.method, operation.path, operation.summary,
                 "", usage_of(operation));
}

void add_verbs(CLI::App& app) {
  CLI::App& login_verb = *app.add_subcommand("login", "Sign in at a gateway; the password is read from standard input");
  const auto login_options = std::make_shared<LoginOptions>();
  login_verb.add_option("user", login_options->user, "Name of the account")->required();
  login_verb.add_option("--gateway", login_options->gateway, "\"https://localhost:8443\"")
      ->required()
      ->envname("RLTUNE_GATEWAY");
  login_verb
      .add_option("--ca", login_options->ca_file,
                  "What the gateway's certificate is signed by; the host's where it is left out")
      ->check(CLI::ExistingFile);
  login_verb.add_option("--session", login_options->session, "Where the sign-in is kept");
  login_verb.callback([login_options] { login(*login_options); });

  CLI::App& call_verb = *app.add_subcommand("call", "Call an operation; the answer is one JSON object on stdout");
  const auto call_options = std::make_shared<CallOptions>();
  call_verb.add_option("operation", call_options->operation, "Its name, as list has it")->required();
  call_verb.add_option("arguments", call_options->arguments, "NAME=VALUE of the path and the message");
  call_verb.add_option("--session", call_options->session, "Where the sign-in is kept");
  call_verb.callback([call_options] { call(*call_options); });

  app.add_subcommand("list", "Every operation, and what it takes")->callback(&list);
  app.add_subcommand("openapi", "The API as OpenAPI 3.1")->callback([] { std::print("{}", api::openapi(version())); });
  app.add_subcommand("page", "The API to read, as one HTML file")->callback([] {
    std::print("{}", api::reference_page(version()).html);
  });
  app.add_subcommand("typescript", "A client for TypeScript, in one file")->callback([] {
    std::print("{}", api::typescript_client(version()));
  });
}

}  // namespace
}  // namespace rltune::api_app

int main(int argc, char** argv) {
  rltune::log::start("api");
  CLI::App app{"A site's gateway, called from a shell.", "rltune api"};
  app.require_subcommand(1);
  app.footer(rltune::api_app::kExamples);
  rltune::api_app::add_verbs(app);
  return rltune::command::run(app, argc, argv);
}
