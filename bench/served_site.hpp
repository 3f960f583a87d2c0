// A live site with its gateway, and who may call it.
#pragma once

#include "command_answer.hpp"
#include "gateway_parts.hpp"
#include "live_site.hpp"

namespace rltune::bench {

class ServedSite {
 public:
  ServedSite() : port_(static_cast<std::uint16_t>(testing::free_port())), site_(options(port_)) {
    const auto written = write_file(site_.path("site/users.yaml"),
                                    "schema: rltune/users/v1\nusers:\n"
                                    "  - {name: ada, role: admin, password_hash_file: secrets/ada}\n");
    if (!written) give_up(written.error().message);
    site_.start();
    if (!site_.decides(3) || !testing::PilotSite::eventually([&] { return site_.role("gateway").state() == "healthy"; },
                                                             std::chrono::seconds(30)))
      give_up(site_.everything());
  }

  std::uint16_t port() const noexcept { return port_; }
  pid_t pid_of(const std::string& role) { return site_.role(role).pid(); }
  std::string certificate() const { return site_.path("site/data/access/certificate.pem"); }
  // A POST. Gives up where the answer is none of 2xx.
  nlohmann::json call(const std::string& path, const nlohmann::json& body, const std::string& token = {}) const {
    const auto answer = post(certificate(), port_, path, body, token);
    if (!answer) give_up(path + ": " + answer.error().message);
    if (answer->status >= 300) give_up(std::format("{}: {} {}", path, answer->status, answer->body));
    return nlohmann::json::parse(answer->body, nullptr, false);
  }
  // The tokens of an administrator.
  nlohmann::json sign_in() const {
    const std::string command = std::format("{}/rltune user invite ada {} --json", RLTUNE_BIN_DIR, site_.site_file());
    const auto link = nlohmann::json::parse(run_command(command, site_.path("")).out, nullptr, false);
    call("/auth/password", {{"link", link["link"]}, {"password", "ventilate before noon"}});
    return call("/auth/login", {{"user", "ada"}, {"password", "ventilate before noon"}});
  }

 private:
  static testing::PilotOptions options(std::uint16_t port) {
    testing::PilotOptions options = live_options(false);
    options.period_s = 1.0;
    options.edits = {{"rltune/site/v1", "rltune/site/v2"},
                     {"\nguard:", std::format("\ngateway: {{enabled: true, port: {}, calls_per_s: 100000, "
                                              "calls_burst: 100000}}\nguard:",
                                              port)}};
    return options;
  }

  const std::uint16_t port_;
  testing::PilotSite site_;
};

}  // namespace rltune::bench
