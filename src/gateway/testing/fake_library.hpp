// What coredinator would say of policies, training runs and plant models.
#pragma once

#include <format>
#include <functional>
#include <string>

#include "rltune/bus/bus.hpp"
#include "rltune/v1/library.pb.h"

namespace rltune::gateway {

struct FakeLibrary {
  using Note = std::function<void(const bus::Call&, const std::string& what)>;

  void serve(bus::Server& server, const Note& note) {
    server.handle<v1::PoliciesRequest, v1::PoliciesAnswer>(
        "records.Policies",
        [this, note](const bus::Call& call, const v1::PoliciesRequest&, v1::PoliciesAnswer& answer) {
          note(call, {});
          *answer.add_policies() = policy.policy();
          answer.add_policies()->set_trouble("policies/spring/policy.onnx: its sha256 is not what it should be");
          return Result<>();
        });
    server.handle<v1::PolicyRequest, v1::PolicyAnswer>(
        "records.Policy",
        [this, note](const bus::Call& call, const v1::PolicyRequest& request, v1::PolicyAnswer& answer) -> Result<> {
          note(call, request.sha256());
          if (request.sha256() == "nothing") return fail(Errc::not_found, "the site has no policy with that SHA-256");
          answer = policy;
          return {};
        });
    server.handle<v1::RunsRequest, v1::RunsAnswer>(
        "records.Runs", [this, note](const bus::Call& call, const v1::RunsRequest& request, v1::RunsAnswer& answer) {
          note(call, std::format("{} {}", request.limit(), request.after()));
          answer = runs;
          return Result<>();
        });
    server.handle<v1::RunRequest, v1::RunAnswer>(
        "records.Run",
        [this, note](const bus::Call& call, const v1::RunRequest& request, v1::RunAnswer& answer) -> Result<> {
          note(call, request.run());
          if (request.run() == "nothing") return fail(Errc::not_found, "the site has no such run");
          answer = run;
          return {};
        });
    server.handle<v1::RunFiguresRequest, v1::RunFiguresAnswer>(
        "records.RunFigures",
        [this, note](const bus::Call& call, const v1::RunFiguresRequest& request, v1::RunFiguresAnswer& answer) {
          note(call, std::format("{} {} {} {} {}", request.run(), request.figure(), request.points(),
                                 request.from_step(), request.has_to_step() ? request.to_step() : 0));
          answer = figures;
          return Result<>();
        });
    server.handle<v1::PlantModelsRequest, v1::PlantModelsAnswer>(
        "records.PlantModels",
        [this, note](const bus::Call& call, const v1::PlantModelsRequest&, v1::PlantModelsAnswer& answer) {
          note(call, {});
          *answer.add_models() = plant.model();
          return Result<>();
        });
    server.handle<v1::PlantModelRequest, v1::PlantModelAnswer>(
        "records.PlantModel",
        [this, note](const bus::Call& call, const v1::PlantModelRequest& request,
                     v1::PlantModelAnswer& answer) -> Result<> {
          note(call, request.model());
          if (request.model() == "nothing") return fail(Errc::not_found, "there is no plant model of that name");
          answer = plant;
          return {};
        });
  }

  // Set before anything asks.
  v1::PlantModelAnswer plant;
  v1::PolicyAnswer policy;
  v1::RunsAnswer runs;
  v1::RunAnswer run;
  v1::RunFiguresAnswer figures;
};

}  // namespace rltune::gateway
