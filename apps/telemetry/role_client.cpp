#include "role_client.hpp"

#include <format>

#include "rltune/http/announcement.hpp"

namespace rltune::telemetry_app {
namespace {

using Json = nlohmann::ordered_json;
using command::kFailed;
using command::stop;

}  // namespace

void add_site_options(CLI::App& verb, SiteOptions& options) {
  verb.add_option("file", options.file, "The site's file")->required()->check(CLI::ExistingFile);
  verb.add_option("--run-folder", options.run_folder,
                  "Where `rltune up` put the sockets; by default .rltune beside it");
  verb.add_flag("--json", options.json, "One JSON object on stdout");
}

RoleClient::RoleClient(const SiteOptions& options) {
  const auto beside = std::filesystem::absolute(options.file).parent_path() / ".rltune";
  const auto announcement = (options.run_folder.empty() ? beside : options.run_folder) / "telemetry.json";
  const auto told = http::read_announcement(announcement);
  if (!told)
    stop(kFailed, std::format("{}; is the site running? Start it with: rltune up {}", told.error().message,
                              options.file.string()));
  url_ = told->url;
  authorization_ = told->authorization();
}

Json RoleClient::get(const std::string& path) {
  return send({.method = "GET", .url = path, .headers = {}, .body = {}});
}

Json RoleClient::post(const std::string& path, const Json& body) {
  return send({.method = "POST", .url = path, .headers = {{"Content-Type", "application/json"}}, .body = body.dump()});
}

Json RoleClient::send(http::Request request) {
  request.url = url_ + request.url;
  request.headers.push_back({"Authorization", authorization_});
  const auto answer = client_.send(request);
  if (!answer) stop(kFailed, std::format("{}; is the site running?", answer.error().message));
  const auto told = Json::parse(answer->body, nullptr, false);
  if (answer->status == 200 && !told.is_discarded()) return told;
  stop(kFailed, told.is_object() ? told.value("detail", answer->body)
                                 : std::format("the telemetry role answers with status {}", answer->status));
}

}  // namespace rltune::telemetry_app
