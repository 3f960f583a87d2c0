// The site of the demo: the twin's tags as site.yaml, and each side's certificate trusted by the other.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "rltune/base/error.hpp"
#include "season_run.hpp"

namespace rltune::demo {

// Makes io's key and certificate, for the twin to trust. Returns the certificate's file.
Result<std::filesystem::path> make_site_identity(const std::filesystem::path& folder);
// Trusts the twin that said `ready` and writes site.yaml for it, and users.yaml; the gateway gets `port`.
Result<std::filesystem::path> write_site(const SeasonOptions& options, const nlohmann::json& ready, std::uint16_t port);

}  // namespace rltune::demo
