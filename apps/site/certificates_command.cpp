// rltune site certificates FILE: every certificate that a running site uses, and when it ends.
#include <format>
#include <memory>
#include <nlohmann/json.hpp>
#include <print>

#include "rltune/base/clock.hpp"
#include "rltune/base/time.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/v1/supervision.pb.h"
#include "site.hpp"

namespace rltune::site {
namespace {

using nlohmann::ordered_json;

struct CertificateOptions {
  std::filesystem::path file, run_folder;
  bool json = false;
};

v1::CertificatesAnswer ask(const CertificateOptions& options) {
  const config::Site site = load(options.file);
  const auto beside = std::filesystem::absolute(options.file).parent_path() / ".rltune";
  const auto folder = options.run_folder.empty() ? beside : std::filesystem::absolute(options.run_folder);
  auto client = bus::Client::connect(bus::call_endpoint(folder.string(), "coredinator"));
  if (!client) stop(client.error());
  const auto answer = client->call<v1::CertificatesAnswer>("coredinator.Certificates", "coredinator",
                                                           v1::CertificatesRequest(), std::chrono::seconds(5));
  if (!answer)
    stop(kFailed, std::format("site {} does not answer; is it running? Start it with: rltune up {}", site.name,
                              options.file.string()));
  return *answer;
}

double days_left(const v1::Certificate& certificate) {
  return to_seconds(TimePoint(Duration(certificate.ends_unix_ns())) - WallClock().now()) / 86'400.0;
}

void print_json(const v1::CertificatesAnswer& answer) {
  ordered_json list = ordered_json::array();
  for (const v1::Certificate& certificate : answer.certificates()) {
    ordered_json one{{"name", certificate.name()}, {"file", certificate.file()}};
    if (!certificate.trouble().empty()) {
      one["trouble"] = certificate.trouble();
    } else {
      one.update({{"subject", certificate.subject()},
                  {"issuer", certificate.issuer()},
                  {"fingerprint", certificate.fingerprint()},
                  {"begins", format_rfc3339(TimePoint(Duration(certificate.begins_unix_ns())))},
                  {"ends", format_rfc3339(TimePoint(Duration(certificate.ends_unix_ns())))},
                  {"days_left", days_left(certificate)}});
    }
    list.push_back(one);
  }
  std::println("{}", ordered_json{{"certificates", list}}.dump(2));
}

void show(const CertificateOptions& options) {
  const v1::CertificatesAnswer answer = ask(options);
  if (options.json) return print_json(answer);
  if (answer.certificates().empty()) return std::println("The site uses no certificate.");
  for (const v1::Certificate& certificate : answer.certificates()) {
    if (!certificate.trouble().empty()) {
      std::println("{:<32} {}", certificate.name(), certificate.trouble());
      continue;
    }
    std::println("{:<32} {:>6.0f} days, to {}  {}\n{:<32} {}", certificate.name(), days_left(certificate),
                 format_rfc3339(TimePoint(Duration(certificate.ends_unix_ns()))).substr(0, 10), certificate.file(), "",
                 certificate.subject());
  }
}

}  // namespace

void add_certificates_command(CLI::App& app) {
  CLI::App& verb = *app.add_subcommand("certificates", "Every certificate the site uses, and when it ends");
  verb.footer(
      "Examples:\n"
      "  rltune site certificates site.yaml\n"
      "  rltune site certificates site.yaml --json\n"
      "\nThe gateway's own is made anew 30 days before its end; docs/operations.md says how the others are renewed.");
  const auto options = std::make_shared<CertificateOptions>();
  verb.add_option("file", options->file, "The site's file")->required()->check(CLI::ExistingFile);
  verb.add_option("--run-folder", options->run_folder, "Where the site's sockets are, if not beside its file");
  verb.add_flag("--json", options->json, "One JSON object on stdout");
  verb.callback([options] { show(*options); });
}

}  // namespace rltune::site
