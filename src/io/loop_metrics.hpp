// What the control loop tells Prometheus. The loop calls it in passing: atomics and arithmetic, nothing that locks,
// allocates or throws.
//
// Business value is the site's own: each agent's learning.reward and learning.costs, evaluated at every decision over
// the period that it ends, and credited to whoever was in charge of that period.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "rltune/base/sample.hpp"
#include "rltune/config/expression.hpp"
#include "rltune/config/site.hpp"
#include "rltune/guard/guard.hpp"
#include "rltune/historian/decision_log.hpp"
#include "rltune/historian/historian.hpp"
#include "rltune/metrics/registry.hpp"
#include "rltune/plant/plant_link.hpp"

namespace rltune::io {

class LoopMetrics {
 public:
  LoopMetrics(metrics::Registry& registry, const config::Site& site);

  void sample(const Sample& sample) noexcept;
  void proposal(Duration took) noexcept { proposal_.observe(to_seconds(took)); }
  void verdict(Duration took) noexcept { verdict_.observe(to_seconds(took)); }
  void written(Duration since_sample, Duration write) noexcept;
  void written(Duration write) noexcept { write_.observe(to_seconds(write)); }
  // Before a decision moves anything: what the period that ends was like. `latest`: by tag.
  void period_ends(std::size_t agent, std::span<const Sample> latest) noexcept;
  // `agent`: index into the site's, or their number for a person's.
  // Returns what the period that ended earned while the policy was in charge; NaN where none ended or nobody knows.
  double decided(std::size_t agent, std::string_view origin, bool automatic, TimePoint wall) noexcept;
  void judged(std::size_t agent, const guard::OutputVerdict& verdict) noexcept;
  void agent_is(std::size_t agent, bool attached, bool lost) noexcept;

  // Once a second.
  void link(const plant::LinkStatus& status) noexcept;
  void stores(const historian::Status& samples, const historian::DecisionLogStatus& decisions) noexcept;
  void mode(guard::Mode mode) noexcept;

 private:
  enum InCharge : std::size_t { policy, fallback, others, in_charge_count };
  struct Term {
    config::Expression expression;
    double sign;
    metrics::Gauge* sum;  // a cost's own
  };
  struct Agent {
    std::array<metrics::Counter*, 5> actions{};                    // by guard::Action
    std::array<metrics::Counter*, guard::kReasonCount> reasons{};  // by bit of guard::Reason
    std::array<metrics::Counter*, 4> origins{};
    metrics::Gauge *attached = nullptr, *lost = nullptr, *last = nullptr;
    std::vector<Term> terms;
    std::vector<double> values, previous;  // by tag
    std::array<metrics::Gauge*, in_charge_count> reward{};
    std::array<metrics::Counter*, in_charge_count> periods{};
    metrics::Gauge* gain = nullptr;
    metrics::Counter* unknown = nullptr;
    double baseline = 0.0;
    bool seen = false;
    InCharge in_charge = others;  // of the period that runs
  };
  void add_agent(metrics::Registry& registry, const config::Site& site, const config::Agent& agent);
  void add_value(metrics::Registry& registry, const config::Site& site, const config::Agent& agent, Agent& out);
  double count_value(Agent& agent) noexcept;

  std::array<metrics::Counter*, 3> samples_{};  // by quality
  struct TagGauges {
    metrics::Gauge *value = nullptr, *time = nullptr;
  };
  std::vector<TagGauges> tags_;
  std::vector<Agent> agents_;
  metrics::Counter& manual_;
  metrics::Histogram &proposal_, &verdict_, &write_, &sample_to_write_;
  metrics::Gauge& connected_;
  metrics::Counter &reconnects_, &overflows_, &writes_failed_;
  metrics::Counter &stored_, &dropped_, &removed_, &decisions_stored_;
  metrics::Gauge &waiting_, &decisions_waiting_, &bytes_, &free_;
  std::array<metrics::Gauge*, 4> modes_{};
};

}  // namespace rltune::io
