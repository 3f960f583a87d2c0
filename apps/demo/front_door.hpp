// The season's site as its administrator meets it: over HTTPS through the gateway, signed in, with the gateway's own
// certificate trusted and no other. Every call is timed.
//
// Threads: a door belongs to one thread.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "rltune/api/site.hpp"
#include "rltune/client/client.hpp"
#include "rltune/config/site.hpp"

namespace rltune::demo {

inline constexpr const char* kAdministrator = "ada";

// What went through the door.
struct DoorUse {
  std::string url;
  std::size_t failed = 0;       // calls without the answer that was asked for
  std::vector<double> call_us;  // of every call, as its caller waited
};

// The site at one moment.
struct SiteLook {
  api::PlantState plant;
  std::map<std::string, double> values;  // by tag, of arrays the first element; NaN: not measured
};

class FrontDoor {
 public:
  // Of users.yaml beside site.yaml: the administrator, without a password.
  static std::string users_text();
  // Made before the site runs: a link by which the administrator chooses a password, once.
  // Errors: internal, with the log that says more.
  static Result<std::string> invite(const std::filesystem::path& site_file, const std::filesystem::path& log);

  explicit FrontDoor(const config::Site& site);
  // Waits for the gateway, chooses a password that nobody gets to see, and signs in with it.
  // Errors: timeout, cancelled, and what the gateway says.
  Result<> enter(const std::string& link);
  // Errors: those of a call.
  Result<SiteLook> look();
  const DoorUse& use() const noexcept { return use_; }

 private:
  Result<> choose_password(const std::string& link, const std::string& password);
  template <typename Call>
  auto timed(const Call& call);

  std::filesystem::path certificate_;
  client::Client site_;
  DoorUse use_;
};

}  // namespace rltune::demo
