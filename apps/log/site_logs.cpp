#include "site_logs.hpp"

#include <format>

#include "rltune/config/site.hpp"
#include "rltune/http/announcement.hpp"
#include "rltune/telemetry/log_query.hpp"

namespace rltune::log_app {
namespace {

std::string encoded(const std::string& text) {
  std::string out;
  for (const unsigned char c : text)
    if (std::isalnum(c) != 0 || std::string_view("-_.~").contains(static_cast<char>(c)))
      out += static_cast<char>(c);
    else
      out += std::format("%{:02X}", c);
  return out;
}

Result<Page> page_of(const std::string& text) {
  const auto told = nlohmann::ordered_json::parse(text, nullptr, false);
  if (!told.is_object() || !told.contains("entries")) return fail(Errc::parse, "the telemetry role answers no page");
  Page page{.next = told.value("next", std::uint64_t{0}), .is_complete = told.value("complete", false)};
  for (const auto& entry : told["entries"]) page.entries.push_back(entry);
  return page;
}

}  // namespace

Result<SiteLogs> SiteLogs::open(const std::filesystem::path& site_file, const std::filesystem::path& run_folder) {
  const auto site = config::load_site(site_file);
  if (!site) return std::unexpected(site.error());
  SiteLogs logs;
  const auto run = run_folder.empty() ? site->folder / ".rltune" : std::filesystem::absolute(run_folder);
  logs.announcement_ = run / "telemetry.json";
  logs.folder_ = site->folder / site->storage.folder / "telemetry" / "logs";
  if (std::filesystem::exists(logs.announcement_) || std::filesystem::exists(logs.folder_)) return logs;
  return fail(Errc::not_found, std::format("{} keeps no logs yet: {} is not there; start the site with: rltune up {}",
                                           site_file.string(), logs.folder_.string(), site_file.string()));
}

Result<Page> SiteLogs::find(const Parameters& parameters) {
  // A role that was killed leaves its announcement behind.
  auto answer = std::filesystem::exists(announcement_) ? ask(parameters) : read(parameters);
  if (!answer && answer.error().code == Errc::disconnected) return read(parameters);
  return answer;
}

Result<Page> SiteLogs::ask(const Parameters& parameters) {
  const auto role = http::read_announcement(announcement_);
  if (!role) return fail(Errc::disconnected, role.error().message);
  std::string url = role->url + "/v1/logs";
  char before = '?';
  for (const auto& [name, value] : parameters) {
    url += std::format("{}{}={}", before, name, encoded(value));
    before = '&';
  }
  const auto answer =
      client_.send({.method = "GET", .url = url, .headers = {{"Authorization", role->authorization()}}, .body = {}});
  if (!answer) return std::unexpected(answer.error());
  if (answer->status == 200) return page_of(answer->body);
  const auto problem = nlohmann::json::parse(answer->body, nullptr, false);
  return fail(Errc::invalid_argument, problem.is_object() ? problem.value("detail", answer->body) : answer->body);
}

Result<Page> SiteLogs::read(const Parameters& parameters) {
  const auto query = telemetry::parse_query(parameters);
  if (!query) return std::unexpected(query.error());
  if (!records_) {
    auto opened = telemetry::open_to_read(folder_);
    if (!opened) return std::unexpected(opened.error());
    records_ = std::move(*opened);
    search_ = std::make_unique<telemetry::LogSearch>(*records_);
  }
  const auto page = search_->find(*query);
  if (!page) return std::unexpected(page.error());
  return page_of(to_json(*page));
}

}  // namespace rltune::log_app
