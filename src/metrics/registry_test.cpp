#include "rltune/metrics/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "counting_new.hpp"

namespace rltune::metrics {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Registry, says_what_was_counted_in_prometheus_text) {
  Registry registry("io");
  registry.counter("rltune_data_health_samples_total", "Samples", {{"quality", "good"}}).add(3.0);
  registry.counter("rltune_data_health_samples_total", "Samples", {{"quality", "bad"}}).add();
  registry.gauge("rltune_process_data_tag_value", "Latest", {{"tag", "t"}, {"unit", "\"°C\""}}).set(21.5);
  const std::string text = registry.text();
  EXPECT_THAT(text, HasSubstr("# HELP rltune_data_health_samples_total Samples\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE rltune_data_health_samples_total counter\n"));
  EXPECT_THAT(text, HasSubstr("rltune_data_health_samples_total{quality=\"good\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("rltune_data_health_samples_total{quality=\"bad\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("rltune_process_data_tag_value{tag=\"t\",unit=\"\\\"°C\\\"\"} 21.5\n"));
  EXPECT_THAT(text, HasSubstr("rltune_role_info{role=\"io\""));
  EXPECT_THAT(text, HasSubstr("process_resident_memory_bytes "));
  EXPECT_THAT(text, HasSubstr("rltune_role_log_lines_total{level=\"CRITICAL\"} "));
}

TEST(Registry, the_same_name_and_labels_are_the_same_metric) {
  Registry registry("io");
  Counter& first = registry.counter("a_total", "A", {{"x", "1"}});
  EXPECT_EQ(&first, &registry.counter("a_total", "A", {{"x", "1"}}));
  EXPECT_NE(&first, &registry.counter("a_total", "A", {{"x", "2"}}));
}

TEST(Registry, a_histogram_counts_into_its_buckets_cumulatively) {
  Registry registry("io");
  constexpr std::array kBounds{0.1, 1.0};
  Histogram& histogram = registry.histogram("t_seconds", "T", {}, kBounds);
  for (const double value : {0.1, 0.05, 0.5, 7.0, std::nan("")}) histogram.observe(value);
  const std::string text = registry.text();
  EXPECT_THAT(text, HasSubstr("t_seconds_count 4\n"));
  EXPECT_THAT(text, HasSubstr("t_seconds_bucket{le=\"0.1\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("t_seconds_bucket{le=\"1\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("t_seconds_bucket{le=\"+Inf\"} 4\n"));
}

TEST(Registry, a_circuit_shows_its_state) {
  Registry registry("agent.climate");
  Circuit circuit(registry, "io");
  Breaker breaker({.failures_max = 1, .wait_first = std::chrono::seconds(1), .wait_max = std::chrono::seconds(1)});
  circuit.show(breaker);
  EXPECT_THAT(registry.text(), HasSubstr("rltune_role_circuit_state{to=\"io\"} 0\n"));
  breaker.failed(Duration::zero());
  circuit.show(breaker);
  EXPECT_THAT(registry.text(), HasSubstr("rltune_role_circuit_state{to=\"io\"} 2\n"));
  EXPECT_THAT(registry.text(), HasSubstr("rltune_role_circuit_openings_total{to=\"io\"} 1\n"));
  const Circuit unused(registry, "traces");
  const std::vector<CircuitState> circuits = registry.circuits();
  ASSERT_EQ(circuits.size(), 2U);
  EXPECT_EQ(circuits[0].to, "io");
  EXPECT_EQ(circuits[0].state, "open");
  EXPECT_EQ(circuits[0].openings, 1U);
  EXPECT_EQ(circuits[0].failures, 1U);
  EXPECT_EQ(circuits[1].state, "closed");
}

TEST(Registry, a_role_that_needs_nobody_has_no_circuits) { EXPECT_TRUE(Registry("io").circuits().empty()); }

TEST(Registry, counting_allocates_nothing) {
  Registry registry("io");
  Counter& counter = registry.counter("a_total", "A");
  Gauge& gauge = registry.gauge("g", "G");
  Histogram& histogram = registry.histogram("t_seconds", "T");
  const std::size_t before = counting::allocations();
  for (int i = 0; i < 1000; ++i) {
    counter.add();
    gauge.set(i);
    histogram.observe(1e-3 * i);
  }
  EXPECT_EQ(counting::allocations(), before);
}

TEST(Registry, threads_that_count_while_it_is_read_lose_nothing) {
  Registry registry("io");
  Counter& counter = registry.counter("a_total", "A");
  Histogram& histogram = registry.histogram("t_seconds", "T");
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 20'000; ++i) {
          counter.add();
          histogram.observe(0.01);
        }
      });
    for (int i = 0; i < 20; ++i) EXPECT_THAT(registry.text(), Not(HasSubstr("a_total -")));
  }
  EXPECT_THAT(registry.text(), HasSubstr("a_total 80000\n"));
  EXPECT_THAT(registry.text(), HasSubstr("t_seconds_count 80000\n"));
}

TEST(RegistryDeathTest, a_name_that_prometheus_would_refuse_is_our_bug) {
  Registry registry("io");
  EXPECT_DEATH(registry.gauge("no spaces", "N"), "");
  registry.gauge("g", "G");
  EXPECT_DEATH(registry.counter("g", "G"), "");
}

}  // namespace
}  // namespace rltune::metrics
