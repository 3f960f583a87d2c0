// Who acknowledged an alert, and why, as they are kept and as they are shown.
#pragma once

#include "rltune/alerts/instance.hpp"
#include "rltune/vault/vault.hpp"

namespace rltune::alerts {

// Opens with this alert alone. REQUIRES: vault.allows().
Acknowledgement stored(Acknowledgement acknowledgement, const std::string& alert, const vault::Vault& vault);

Instance shown(Instance instance, const vault::Vault& vault);
Notice shown(Notice notice, const vault::Vault& vault);

}  // namespace rltune::alerts
