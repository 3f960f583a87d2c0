// The OnlineLearner improves an agent's policy beside the loop, from what was applied: SAC that starts behind
// the artifact's weights, its critics first. It offers candidates; the agent's gate decides about them.
//
// Threads: one learner belongs to one thread.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "policy_store.hpp"
#include "rltune/base/archive.hpp"
#include "rltune/config/site.hpp"
#include "rltune/experience/transition_builder.hpp"
#include "rltune/policy/artifact.hpp"
#include "rltune/rl/learner.hpp"
#include "weights_board.hpp"

namespace rltune::agent {

struct OnlineOptions {
  std::size_t critic_updates_first = 1'000;  // before the policy moves
  std::size_t updates_between_candidates = 100;
  std::size_t replay_max = 50'000;
  std::uint64_t seed = 1;
};

class OnlineLearner {
 public:
  // Errors: unsupported: the artifact is of an algorithm whose policies SAC cannot continue.
  static Result<OnlineLearner> create(const config::Agent& agent, const policy::Artifact& artifact,
                                      const OnlineOptions& options);

  // Learns from one transition; returns the gradient steps made.
  std::size_t add(const experience::Transition& transition);
  // False once training diverged: drop this object and restore the last checkpoint.
  bool sound() const;
  std::uint64_t transitions() const noexcept { return transitions_; }
  std::uint64_t updates() const noexcept { return updates_; }
  TimePoint time() const noexcept { return time_; }  // of the newest transition

  // Weights worth showing to the gate, no further from `acting` than the site allows; nothing when it is too
  // early or nothing changed. The caller stores and publishes them.
  struct Offer {
    std::string onnx;
    ShadowReport shadow;
    double change = 0.0;  // relative to `acting`
  };
  std::optional<Offer> offer(const nn::NetworkDescription& acting);

  void archive(Archive& archive);

 private:
  OnlineLearner(std::unique_ptr<rl::Learner> learner, const config::Agent& agent, const policy::Artifact& artifact,
                const OnlineOptions& options);
  ShadowReport shadow(const nn::NetworkDescription& candidate, const nn::NetworkDescription& acting);
  std::vector<float> actions_of(const nn::NetworkDescription& network) const;

  std::unique_ptr<rl::Learner> learner_;
  OnlineOptions options_;
  double weight_change_max_;
  std::string artifact_sha256_;
  std::size_t observations_, actions_;
  std::uint64_t transitions_ = 0, updates_ = 0, offered_at_ = 0;
  TimePoint time_{};
  std::vector<float> live_;  // the latest observations, row by row
};

// Checkpoints of a learner, numbered; the newest good one counts, a few older ones are kept behind it.
class CheckpointStore {
 public:
  explicit CheckpointStore(std::filesystem::path folder) : folder_(std::move(folder)) {}
  static CheckpointStore of(const config::Site& site, const std::string& agent);

  // `state` is whatever has archive(): an OnlineLearner, or more with it. The newest `kept` stay; returns how many
  // went.
  template <typename State>
  Result<std::size_t> save(State& state, std::size_t kept) const {
    Archive archive = Archive::writer(kFormat);
    state.archive(archive);
    return add(archive, kept);
  }
  // Restores the newest that is sound; `fresh` makes an untouched state for each attempt. Corrupt ones are
  // put aside and skipped. Returns false in `restored` when there was none: the state is then fresh.
  template <typename Fresh>
  auto restore(const Fresh& fresh, bool& restored) const -> decltype(fresh()) {
    restored = false;
    for (const auto& file : newest_first()) {
      auto state = fresh();
      if (!state) return state;
      auto archive = Archive::read(file, kFormat);
      Result<> done = archive ? Result<>{} : std::unexpected(archive.error());
      if (archive) {
        state->archive(*archive);
        done = archive->result();
      }
      restored = done.has_value();
      if (restored) return state;
      tell_skipped(file, done.error());
    }
    return fresh();
  }
  // When the artifact came that learning continues: decisions made before, on the wall clock, were another's. It is
  // noted when a learner first sees it.
  Result<TimePoint> artifact_since(const std::string& artifact_sha256, TimePoint now) const;

 private:
  static constexpr const char* kFormat = "rltune/online-learner/v2";

  std::vector<std::filesystem::path> newest_first() const;
  Result<std::size_t> add(Archive& archive, std::size_t kept) const;
  static void tell_skipped(const std::filesystem::path& file, const Error& why);

  std::filesystem::path folder_;
};

}  // namespace rltune::agent
