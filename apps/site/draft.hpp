// A first site.yaml from what a server shows: everything that can be known is filled in, what only the engineer can
// know is marked CHECK, and the draft passes `site check` as it is.
#pragma once

#include <string>
#include <vector>

#include "rltune/config/site.hpp"
#include "rltune/plant/opcua_browse.hpp"

namespace rltune::site {

struct DraftCounts {
  std::size_t tags = 0, outputs = 0, left_out = 0;
};

// `link` as it goes into the file; `gateway`: the API is served, on this host. In shadow mode: a draft writes nothing.
std::string draft_site(const std::string& name, const config::Link& link,
                       const std::vector<plant::BrowsedVariable>& variables, bool gateway, DraftCounts& counts);
// users.yaml with an administrator, who has no password yet.
std::string draft_users(const std::string& administrator);

}  // namespace rltune::site
