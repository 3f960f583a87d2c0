#include "certificates.hpp"

#include <algorithm>
#include <format>

#include "rltune/access/certificate.hpp"

namespace rltune::coredinator {
namespace {

// Made, or put there, and not in use yet: the plant's server does not trust it.
constexpr const char* kNext = "plant: ours, next";

class List {
 public:
  explicit List(const std::filesystem::path& folder) : folder_(folder) {}

  // `made_by_us`: there is none before it is first needed.
  void add(const std::string& name, const std::filesystem::path& file, bool made_by_us = false) {
    if (file.empty()) return;
    const std::filesystem::path path = folder_ / file;
    std::error_code ignored;
    if (made_by_us && !std::filesystem::exists(path, ignored)) return;
    v1::Certificate& told = *answer_.add_certificates();
    told.set_name(name);
    told.set_file(file.string());
    const auto facts = access::read_certificate(path);
    if (!facts) return told.set_trouble(facts.error().message);
    told.set_subject(facts->subject);
    told.set_issuer(facts->issuer);
    told.set_fingerprint(facts->fingerprint);
    told.set_begins_unix_ns(facts->begins.time_since_epoch().count());
    told.set_ends_unix_ns(facts->ends.time_since_epoch().count());
  }
  // Of peers, in the order of their names.
  void add_all(const std::string& name, const std::filesystem::path& files) {
    std::vector<std::string> found;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / files, ignored))
      if (entry.is_regular_file(ignored)) found.push_back(entry.path().filename().string());
    std::ranges::sort(found);
    for (const std::string& file : found) add(std::format("{}{}", name, file), files / file);
  }
  v1::CertificatesAnswer take() { return std::move(answer_); }

 private:
  std::filesystem::path folder_;
  v1::CertificatesAnswer answer_;
};

}  // namespace

v1::CertificatesAnswer list_certificates(const config::Site& site, const config::Telemetry& telemetry) {
  List list(site.folder);
  if (site.gateway.enabled && site.gateway.certificate_file.empty())
    list.add("gateway", site.storage.folder / "access" / "certificate.pem", true);
  if (site.gateway.enabled) list.add("gateway", site.gateway.certificate_file);
  if (!site.link.pki.empty()) {
    list.add("plant: ours", site.link.pki / "own" / "cert.der", true);
    list.add(kNext, site.link.pki / "own" / "next.der", true);
    list.add_all("plant: ", site.link.pki / "trusted");
  }
  for (const config::Sink& sink : telemetry.sinks) {
    list.add(std::format("sink {}: client", sink.name), sink.certificate_file);
    list.add(std::format("sink {}: authority", sink.name), sink.ca_file);
  }
  return list.take();
}

void show_certificates(const v1::CertificatesAnswer& certificates, metrics::Registry& registry, TimePoint now) {
  registry
      .gauge("rltune_role_certificate_waiting", "1: a certificate waits until the other side trusts it",
             {{"certificate", kNext}})
      .set(std::ranges::contains(certificates.certificates(), kNext, &v1::Certificate::name) ? 1.0 : 0.0);
  for (const v1::Certificate& certificate : certificates.certificates()) {
    if (!certificate.trouble().empty()) continue;
    const TimePoint ends{Duration(certificate.ends_unix_ns())};
    registry
        .gauge("rltune_role_certificate_days_left", "Until a certificate ends; negative: it has",
               {{"certificate", certificate.name()}})
        .set(to_seconds(ends - now) / 86'400.0);
  }
}

}  // namespace rltune::coredinator
