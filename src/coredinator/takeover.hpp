// A change of the site's configuration on its way: the new version in the folder, then whoever holds a changed field
// takes it over as it runs or starts again, until all of them are well. When one refuses, or is not well in time, the
// files of before come back and whoever was touched starts again with them.
//
// `config.git/takeover` says what is under way, so that a change that a kill interrupts ends as one of the two
// versions: the next coredinator goes on where its predecessor was. Format: docs/formats/config-store.md. Threads: one.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rltune/base/clock.hpp"
#include "rltune/base/error.hpp"
#include "rltune/configstore/store.hpp"
#include "rltune/v1/config.pb.h"
#include "supervisor.hpp"

namespace rltune::coredinator {

class Takeover {
 public:
  // `folder`: the site's. Errors: those of configstore.
  static Result<Takeover> open(const std::filesystem::path& folder, const Clock& clock);

  // Makes the version and begins. `running`: site.yaml as the roles hold it. Errors: denied (another change is under
  // way), invalid_argument (nothing changes, a file is not good), and those of configstore.
  Result<> begin(const v1::ApplyConfigRequest& request, const std::string& running, const Supervisor& supervisor);
  // Moves on; call it often. REQUIRES: the supervisor knows what runs.
  void turn(Supervisor& supervisor, Duration now);
  // The new configuration keeps coredinator itself from starting: back to the files of before, at once.
  Result<> go_back(const std::string& why);

  bool under_way() const noexcept { return under_way_.has_value(); }
  bool goes_back() const noexcept { return under_way_ && under_way_->back; }
  // io is to take over what it can of site.yaml as it runs; answered by told(). Other files are followed by themselves.
  bool wants_to_tell_io() const noexcept {
    return under_way_ && !under_way_->live.empty() && under_way_->before.contains("site.yaml") && !told_;
  }
  void told(const Result<>& answer);
  // coredinator holds what changed, and has to start again.
  bool wants_to_leave() const noexcept { return leave_; }
  v1::ConfigAnswer state() const { return state_; }

 private:
  struct Concerned {
    std::string name;
    std::int32_t pid = 0;  // before; 0: it did not run
    bool well = true;
  };
  struct UnderWay {
    bool back = false;
    std::string why;  // back
    std::string version;
    double within_s = 30.0;
    std::vector<std::string> restarts, live;  // as config::restarts() and live() name them
    std::vector<Concerned> roles;
    configstore::Edits before;
  };

  Takeover(const std::filesystem::path& folder, const Clock& clock) : folder_(folder), clock_(clock) {}
  std::filesystem::path file() const { return folder_ / "config.git" / "takeover"; }
  void read();
  Result<> write() const;
  void forget();
  Result<std::string> commit(const v1::ApplyConfigRequest& request) const;
  Result<configstore::Edits> wanted(const v1::ApplyConfigRequest& request, const std::string& running) const;
  Result<> put_back();
  bool lies_as_before() const;
  void back_out(const std::string& why, Supervisor& supervisor);
  bool concerns_coredinator() const;
  void tell_state(const std::string& state);
  void finish(const std::string& state, std::string reason);
  std::string wait_for(Supervisor& supervisor, std::string& refused) const;

  std::filesystem::path folder_;
  const Clock& clock_;
  std::optional<UnderWay> under_way_;
  std::optional<Duration> deadline_;
  bool told_ = false, leave_ = false;
  std::string refusal_;  // io's
  v1::ConfigAnswer state_;
};

}  // namespace rltune::coredinator
