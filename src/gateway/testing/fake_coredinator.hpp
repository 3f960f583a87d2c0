// What coredinator would say of configuration and certificates, and what it was asked to change.
#pragma once

#include <format>
#include <mutex>
#include <string>

#include "rltune/bus/bus.hpp"
#include "rltune/v1/config.pb.h"
#include "rltune/v1/supervision.pb.h"

namespace rltune::gateway {

class FakeCoredinator {
 public:
  void serve(bus::Server& server) {
    read(server);
    change(server);
    answer<v1::CertificatesRequest, v1::CertificatesAnswer>(
        server, "coredinator.Certificates", [](const v1::CertificatesRequest&, v1::CertificatesAnswer& answer) {
          v1::Certificate& good = *answer.add_certificates();
          good.set_name("gateway");
          good.set_file("data/access/certificate.pem");
          good.set_subject("CN=plant-7");
          good.set_ends_unix_ns(1'800'864'000'000'000'000);  // ten days after the tests' clock begins
          v1::Certificate& bad = *answer.add_certificates();
          bad.set_name("plant: server.der");
          bad.set_trouble("there is no certificate in it");
        });
    answer<v1::DeployRequest, v1::AgentInfo>(server, "coredinator.Deploy",
                                             [this](const v1::DeployRequest& request, v1::AgentInfo& answer) {
                                               note(std::format("{} deploys {} of {} from {}", request.user(),
                                                                request.version(), request.agent(), request.folder()));
                                               answer.set_id(request.agent());
                                             });
    server.handle<v1::HealthRequest, v1::HealthAnswer>(
        "agent.Health", [](const bus::Call& call, const v1::HealthRequest&, v1::HealthAnswer& answer) -> Result<> {
          if (call.target == "stopped") return fail(Errc::mismatch, "agent stopped is stopped; start it first");
          if (call.target == "gone") return fail(Errc::disconnected, "nobody answers at ipc:///run/agent");
          if (call.target == "nobody") return fail(Errc::not_found, "no agent of that name");
          answer.set_healthy(true);
          return {};
        });
  }
  // "ada four_eyes: why", of the last change; "eve deploys 1.2.0 of climate from FOLDER".
  std::string changed() {
    const std::scoped_lock lock(mutex_);
    return changed_;
  }

 private:
  template <typename Request, typename Answer, typename Fill>
  static void answer(bus::Server& server, const std::string& method, Fill fill) {
    server.handle<Request, Answer>(method, [fill](const bus::Call&, const Request& request, Answer& answer) {
      fill(request, answer);
      return Result<>();
    });
  }
  void read(bus::Server& server) {
    answer<v1::ConfigFilesRequest, v1::ConfigFilesAnswer>(
        server, "coredinator.ConfigFiles", [](const v1::ConfigFilesRequest& request, v1::ConfigFilesAnswer& answer) {
          answer.set_version(request.version());
          (*answer.mutable_files())["site.yaml"] = "schema: rltune/site/v2\n";
        });
    answer<v1::ConfigVersionsRequest, v1::ConfigVersionsAnswer>(
        server, "coredinator.ConfigVersions", [](const v1::ConfigVersionsRequest&, v1::ConfigVersionsAnswer& answer) {
          v1::ConfigVersion& version = *answer.add_versions();
          version.set_id("0a1b");
          version.set_author("ada");
          version.set_made_unix_ns(1'700'000'000'000'000'000);
          version.add_files("site.yaml");
        });
    answer<v1::ConfigRequest, v1::ConfigAnswer>(
        server, "coredinator.Config",
        [](const v1::ConfigRequest&, v1::ConfigAnswer& answer) { answer.set_state("applied"); });
    answer<v1::PlanConfigRequest, v1::PlanConfigAnswer>(
        server, "coredinator.PlanConfig", [](const v1::PlanConfigRequest& request, v1::PlanConfigAnswer& answer) {
          if (request.text() == "wrong") return answer.add_faults()->set_message("no mapping");
          answer.set_file("site.yaml");
          answer.add_changes()->set_field("guard.mode");
          answer.add_loosens("guard.mode");
        });
    answer<v1::ProposalsRequest, v1::ProposalsAnswer>(server, "coredinator.Proposals",
                                                      [](const v1::ProposalsRequest&, v1::ProposalsAnswer& answer) {
                                                        v1::ConfigProposal& proposal = *answer.add_proposals();
                                                        proposal.set_id("p1");
                                                        proposal.set_author("ada");
                                                        proposal.set_made_unix_ns(1'700'000'000'000'000'000);
                                                      });
  }
  void change(bus::Server& server) {
    answer<v1::ApplyConfigRequest, v1::ConfigAnswer>(
        server, "coredinator.ApplyConfig", [this](const v1::ApplyConfigRequest& request, v1::ConfigAnswer& answer) {
          note(std::format("{}{}{}: {}{}", request.author(), request.four_eyes() ? " four_eyes" : "",
                           request.may_change_users() ? " users" : "", request.reason(), request.restore()));
          answer.set_state("under_way");
        });
    answer<v1::AnswerProposalRequest, v1::ConfigAnswer>(
        server, "coredinator.AnswerProposal",
        [this](const v1::AnswerProposalRequest& request, v1::ConfigAnswer& answer) {
          note(std::format("{} {} {}{}", request.user(), request.agree() ? "agrees to" : "refuses", request.id(),
                           request.may_change_users() ? ", users too" : ""));
          answer.set_state("under_way");
        });
  }
  void note(std::string what) {
    const std::scoped_lock lock(mutex_);
    changed_ = std::move(what);
  }

  std::mutex mutex_;
  std::string changed_;
};

}  // namespace rltune::gateway
