#include "receive_command.hpp"

#include <format>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "rltune/base/file.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/secret.hpp"
#include "rltune/receive/receiver.hpp"
#include "rltune/webserver/server.hpp"

namespace rltune::telemetry_app {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string config, folder, token_file;
  webserver::Options server{.body_bytes_max = std::size_t{16} << 20U};
  std::string certificate, key, client_ca;
};

webserver::Response response_of(receive::Answer answer) {
  return {.status = answer.status, .body = std::move(answer.body), .headers = std::move(answer.headers)};
}

webserver::Response health(const receive::Receiver& receiver) {
  const std::string trouble = receiver.trouble();
  const receive::Counts counts = receiver.counts();
  Json json{{"healthy", trouble.empty()},      {"trouble", trouble},
            {"batches", counts.batches},       {"records", counts.records},
            {"duplicates", counts.duplicates}, {"refused", counts.refused},
            {"denied", counts.denied},         {"sinks", Json::array()}};
  for (const auto& [sink, stream, figures] : receiver.sinks())
    json["sinks"].push_back({{"sink", sink},
                             {"stream", stream},
                             {"waiting_records", figures.waiting_records},
                             {"sent_records", figures.sent_records},
                             {"refused", figures.refused},
                             {"trouble", figures.trouble}});
  return {.status = trouble.empty() ? 200 : 503, .body = json.dump()};
}

std::vector<webserver::Route> routes(receive::Receiver& receiver) {
  return {{.method = "POST",
           .path = "/v1/batches",
           .handle =
               [&](const webserver::Request& request, const webserver::Reply& reply) {
                 receiver.take(request.headers, request.body,
                               [reply](receive::Answer answer) { reply(response_of(std::move(answer))); });
               }},
          {.method = "GET",
           .path = "/healthcheck",
           .handle = [&](const webserver::Request&, const webserver::Reply& reply) { reply(health(receiver)); }}};
}

receive::ReceiverOptions options_of(const Arguments& given) {
  receive::ReceiverOptions options{.folder = given.folder, .token_needed = given.client_ca.empty()};
  auto token = find_secret("receive-token", given.token_file);
  if (!token) command::stop(token.error());
  options.token = token->value_or("");
  if (options.token_needed && options.token.empty())
    command::stop(command::kWrongUsage, "anybody could send: give --token-file, or --client-ca");
  if (given.config.empty()) return options;
  auto telemetry = config::load_telemetry(given.config);
  if (!telemetry) command::stop(telemetry.error());
  options.sinks = config::sinks_of(*telemetry);
  options.sinks_folder = std::filesystem::path(given.config).parent_path();
  options.retention.age_max = from_seconds(telemetry->collect.retention_days * 86'400);
  options.retention.bytes_max = static_cast<std::uint64_t>(telemetry->collect.retention_gb * 1e9 / 2);
  options.free_bytes_min = static_cast<std::uint64_t>(telemetry->collect.free_min_gb * 1e9);
  return options;
}

std::string url_of(const Arguments& given, std::uint16_t port) {
  const std::string& address = given.server.address;
  return std::format("{}://{}:{}/v1/batches", given.certificate.empty() ? "http" : "https",
                     address.contains(':') ? "[" + address + "]" : address, port);
}

void serve(Arguments given) {
  const bool here = given.server.address.starts_with("127.") || given.server.address == "::1";
  if (!here && given.certificate.empty())
    command::stop(
        command::kWrongUsage,
        "beyond this host batches come over TLS: give --certificate and --key, or listen on 127.0.0.1 behind a proxy");
  catch_interrupts();
  const WallClock clock;
  auto receiver = receive::Receiver::open(options_of(given), clock);
  if (!receiver) command::stop(receiver.error());
  given.server.certificate_file = given.certificate;
  given.server.key_file = given.key;
  given.server.client_ca_file = given.client_ca;
  auto server = webserver::Server::start(given.server, routes(**receiver));
  if (!server) command::stop(server.error());
  std::cout << Json{{"url", url_of(given, server->port())}}.dump() << std::endl;
  while (!interrupted()) std::this_thread::sleep_for(std::chrono::milliseconds(200));
}

}  // namespace

void add_receive_command(CLI::App& app) {
  auto given = std::make_shared<Arguments>();
  CLI::App& receive = *app.add_subcommand("receive", "take the batches of sites, keep each record once, forward it");
  receive.footer(
      "Examples:\n"
      "  rltune telemetry receive --folder received --token-file token\n"
      "  rltune telemetry receive --folder received --client-ca sites.pem --certificate server.pem --key server.key "
      "--address 0.0.0.0 --port 8330 --config onward.yaml\n"
      "\nSites send to POST /v1/batches, as a sink of kind gateway. Without --config what comes is kept, and goes "
      "nowhere.");
  receive.add_option("--folder", given->folder, "where what was received is kept")->required();
  receive.add_option("--config", given->config, "a telemetry.yaml whose sinks say where it goes");
  receive.add_option("--token-file", given->token_file, "file with the token that sites show (chmod 600)");
  receive.add_option("--address", given->server.address, "to listen on")->capture_default_str();
  receive.add_option("--port", given->server.port, "to listen on; 0: one that is free")->capture_default_str();
  auto* certificate =
      receive.add_option("--certificate", given->certificate, "PEM: the server's certificate, for TLS 1.3");
  auto* key = receive.add_option("--key", given->key, "PEM: its key");
  certificate->needs(key);
  key->needs(certificate);
  receive.add_option("--client-ca", given->client_ca, "PEM: sites must show a certificate that comes from it")
      ->needs(certificate);
  receive.callback([given] { serve(*given); });
}

}  // namespace rltune::telemetry_app
