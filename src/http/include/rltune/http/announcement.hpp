// Where a role of a site listens, and what to show it, as it writes it into the run folder for the others:
// {"url": "http://127.0.0.1:43123", "token": "..."}.
#pragma once

#include <filesystem>
#include <string>

#include "rltune/base/error.hpp"

namespace rltune::http {

struct Announcement {
  std::string url, token;
  std::string authorization() const { return "Bearer " + token; }
};

// Errors: not_found: nobody has written it; parse: it is none.
Result<Announcement> read_announcement(const std::filesystem::path& file);

}  // namespace rltune::http
