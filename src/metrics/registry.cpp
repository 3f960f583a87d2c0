#include "rltune/metrics/registry.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <variant>

#include "process_figures.hpp"
#include "rltune/base/check.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/version.hpp"

namespace rltune::metrics {
namespace {

constexpr const char *kCircuitState = "rltune_role_circuit_state",
                     *kCircuitOpenings = "rltune_role_circuit_openings_total",
                     *kCircuitFailures = "rltune_role_circuit_failures_total";
constexpr std::array kCircuitWords{"closed", "on trial", "open"};  // by Breaker::State

constexpr std::array kLatencyBounds{1e-5,  2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01,
                                    0.025, 0.05,   0.1,  0.25, 0.5,    1.0,  2.5,  5.0,    10.0};

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

prometheus::ClientMetric with_labels(const Labels& labels) {
  prometheus::ClientMetric made;
  for (const Label& label : labels) made.label.push_back({label.name, label.value});
  return made;
}

void fill(prometheus::ClientMetric& out, const Counter& counter) { out.counter.value = counter.value(); }
void fill(prometheus::ClientMetric& out, const Gauge& gauge) { out.gauge.value = gauge.value(); }
void fill(prometheus::ClientMetric& out, const Histogram& histogram) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < histogram.bounds().size(); ++i) {
    count += histogram.bucket(i);
    out.histogram.bucket.push_back({count, histogram.bounds()[i]});
  }
  count += histogram.bucket(histogram.bounds().size());
  out.histogram.bucket.push_back({count, std::numeric_limits<double>::infinity()});
  out.histogram.sample_count = count;
  out.histogram.sample_sum = histogram.sum();
}

prometheus::MetricFamily family(const std::string& name, const std::string& help, prometheus::MetricType type) {
  prometheus::MetricFamily made;
  made.name = name;
  made.help = help;
  made.type = type;
  return made;
}

void add_log_lines(std::vector<prometheus::MetricFamily>& families) {
  auto lines = family("rltune_role_log_lines_total", "Lines logged, by level", prometheus::MetricType::Counter);
  for (const log::Level level : log::kLevels) {
    auto metric = with_labels({{"level", log::name_of(level)}});
    metric.counter.value = static_cast<double>(log::lines(level));
    lines.metric.push_back(std::move(metric));
  }
  families.push_back(std::move(lines));
}

void add_process(std::vector<prometheus::MetricFamily>& families) {
  for (const ProcessFigure& figure : process_figures()) {
    auto made = family(figure.name, figure.help,
                       figure.counts ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge);
    auto metric = with_labels({});
    (figure.counts ? metric.counter.value : metric.gauge.value) = figure.value;
    made.metric.push_back(std::move(metric));
    families.push_back(std::move(made));
  }
}

}  // namespace

Histogram::Histogram(std::span<const double> bounds)
    : bounds_(bounds.begin(), bounds.end()), counts_(bounds.size() + 1) {
  RLTUNE_CHECK(std::ranges::is_sorted(bounds_));
}

void Histogram::observe(double value) noexcept {
  if (!std::isfinite(value)) return;
  const auto bucket = static_cast<std::size_t>(std::ranges::lower_bound(bounds_, value) - bounds_.begin());
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::span<const double> latency_bounds() noexcept { return kLatencyBounds; }

struct Registry::State {
  // One of the three, built in place: none of them can be moved.
  template <typename Metric>
  struct Entry {
    template <typename... Arguments>
    explicit Entry(const Labels& named, Arguments&&... arguments)
        : labels(named), metric(std::forward<Arguments>(arguments)...) {}
    Labels labels;
    Metric metric;
  };
  template <typename Metric>
  using Entries = std::deque<Entry<Metric>>;
  struct Family {
    std::string help;
    std::variant<Entries<Counter>, Entries<Gauge>, Entries<Histogram>> entries;
  };

  template <typename Metric, typename... Arguments>
  Metric& find_or_make(const std::string& name, const std::string& help, const Labels& labels,
                       Arguments&&... arguments) {
    RLTUNE_CHECK(is_name(name));
    for (const Label& label : labels) RLTUNE_CHECK(is_name(label.name));
    const std::lock_guard lock(mutex);
    auto [found, made] = families.try_emplace(name, Family{help, Entries<Metric>()});
    auto* entries = std::get_if<Entries<Metric>>(&found->second.entries);
    RLTUNE_CHECK(entries != nullptr);
    for (Entry<Metric>& entry : *entries)
      if (std::ranges::equal(entry.labels, labels,
                             [](const Label& a, const Label& b) { return a.name == b.name && a.value == b.value; }))
        return entry.metric;
    return entries->emplace_back(labels, std::forward<Arguments>(arguments)...).metric;
  }

  // Of the entry of that family that leads to `to`; the lock is held.
  template <typename Metric>
  double value_of(const char* name, const std::string& to) const {
    const auto found = families.find(name);
    if (found != families.end())
      for (const Entry<Metric>& entry : std::get<Entries<Metric>>(found->second.entries))
        if (entry.labels.front().value == to) return entry.metric.value();
    return 0.0;
  }

  mutable std::mutex mutex;
  std::map<std::string, Family> families;
};

Registry::Registry(const std::string& role) : state_(std::make_unique<State>()) {
  gauge("rltune_role_info", "Which role this is, and the product's version",
        {{"role", role}, {"version", std::string(version())}})
      .set(1.0);
}

Registry::~Registry() = default;

Counter& Registry::counter(const std::string& name, const std::string& help, const Labels& labels) {
  return state_->find_or_make<Counter>(name, help, labels);
}

Gauge& Registry::gauge(const std::string& name, const std::string& help, const Labels& labels) {
  return state_->find_or_make<Gauge>(name, help, labels);
}

Histogram& Registry::histogram(const std::string& name, const std::string& help, const Labels& labels,
                               std::span<const double> bounds) {
  return state_->find_or_make<Histogram>(name, help, labels, bounds);
}

Circuit::Circuit(Registry& registry, const std::string& to)
    : state_(registry.gauge(
          kCircuitState,
          "Of the way to whom this role needs: 0 closed, 1 on trial, 2 open: nobody is asked for a while",
          {{"to", to}})),
      openings_(registry.counter(kCircuitOpenings, "Times the way was opened", {{"to", to}})),
      failures_(registry.counter(kCircuitFailures, "Attempts that failed", {{"to", to}})) {}

void Circuit::show(const Breaker::Figures& figures) noexcept {
  state_.set(static_cast<double>(figures.state));
  openings_.follow(static_cast<double>(figures.openings));
  failures_.follow(static_cast<double>(figures.failures));
}

std::vector<CircuitState> Registry::circuits() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<CircuitState> circuits;
  const auto found = state_->families.find(kCircuitState);
  if (found == state_->families.end()) return circuits;
  for (const auto& entry : std::get<State::Entries<Gauge>>(found->second.entries)) {
    const std::string& to = entry.labels.front().value;
    circuits.push_back({.to = to,
                        .state = kCircuitWords[static_cast<std::size_t>(entry.metric.value())],
                        .openings = static_cast<std::uint64_t>(state_->value_of<Counter>(kCircuitOpenings, to)),
                        .failures = static_cast<std::uint64_t>(state_->value_of<Counter>(kCircuitFailures, to))});
  }
  return circuits;
}

std::string Registry::text() const {
  using prometheus::MetricType;
  constexpr std::array kTypes{MetricType::Counter, MetricType::Gauge, MetricType::Histogram};
  std::vector<prometheus::MetricFamily> families;
  {
    const std::lock_guard lock(state_->mutex);
    for (const auto& [name, stored] : state_->families) {
      families.push_back(family(name, stored.help, kTypes[stored.entries.index()]));
      std::visit(
          [&](const auto& entries) {
            for (const auto& entry : entries) {
              families.back().metric.push_back(with_labels(entry.labels));
              fill(families.back().metric.back(), entry.metric);
            }
          },
          stored.entries);
    }
  }
  add_log_lines(families);
  add_process(families);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace rltune::metrics
