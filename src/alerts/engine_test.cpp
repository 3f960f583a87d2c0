#include "rltune/alerts/engine.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "rltune/base/random.hpp"

namespace rltune::alerts {
namespace {

using namespace std::chrono_literals;
using telemetry::MetricSample;
using Strings = std::vector<std::string>;

const TimePoint kStart = parse_rfc3339("2026-01-02T00:00:00Z").value();

config::Alert rule(const std::string& when, double limit, double for_s = 0.0) {
  return {.name = "rule", .metric = "m", .when = when, .limit = limit, .for_s = for_s, .channels = {"duty"}};
}

// An engine of one rule, and what it has told: "firing", "resolved", in order.
class Bench {
 public:
  explicit Bench(config::Alert rule, EngineOptions options = {.site = "pilot"})
      : alerts_{.channels = {{.name = "duty"}}, .alerts = {std::move(rule)}},
        options_(std::move(options)),
        engine_(std::make_unique<Engine>(alerts_, options_, now_)) {}

  void sample(double value, std::map<std::string, std::string> labels = {}, const std::string& name = "m") {
    engine_->take(MetricSample{name, std::move(labels), 0, value}, now_);
  }
  void entry(std::string_view message, log::Level level = log::Level::error, std::string_view service = "io") {
    engine_->take(LogFacts{service, message, level}, now_);
  }
  // Time passes, in steps of 15 s as in a role.
  Bench& wait(Duration duration) {
    for (const TimePoint end = now_ + duration; now_ < end;) {
      now_ += std::min<Duration>(15s, end - now_);
      engine_->evaluate(now_);
    }
    return *this;
  }
  // The same value all along.
  Bench& hold(double value, Duration duration, const std::map<std::string, std::string>& labels = {}) {
    for (const TimePoint end = now_ + duration; now_ < end;) {
      now_ += std::min<Duration>(15s, end - now_);
      sample(value, labels);
      engine_->evaluate(now_);
    }
    return *this;
  }
  void evaluate() { engine_->evaluate(now_); }
  void restart(Duration away = 0s) {
    const std::string state = engine_->state();
    now_ += away;
    engine_ = std::make_unique<Engine>(alerts_, options_, now_);
    const auto restored = engine_->restore(state, now_);
    EXPECT_TRUE(restored) << restored.error().message;
  }
  // Takes what is in the outbox as told.
  Strings told() {
    Strings kinds;
    while (!engine_->outbox().empty()) {
      last_ = engine_->outbox().front();
      kinds.emplace_back(to_string(last_.kind));
      engine_->told(last_.number);
    }
    return kinds;
  }

  config::Alerts alerts_;
  EngineOptions options_;
  TimePoint now_ = kStart;
  std::unique_ptr<Engine> engine_;
  Notice last_;
};

TEST(Engine, above_fires_after_its_time_and_resolves_when_it_is_over) {
  Bench bench(rule("above", 10, 60));
  EXPECT_EQ(bench.hold(10, 5min).told(), Strings());
  EXPECT_EQ(bench.hold(11, 60s).told(), Strings());
  EXPECT_EQ(bench.engine_->counts().pending, 1U);
  EXPECT_EQ(bench.hold(12, 15s).told(), Strings{"firing"});
  EXPECT_EQ(bench.last_.summary, "m is 12, above 10");
  EXPECT_EQ(bench.hold(12, 10min).told(), Strings());
  EXPECT_EQ(bench.hold(10, 15s).told(), Strings{"resolved"});
  EXPECT_EQ(bench.engine_->instances().size(), 0U);
}

TEST(Engine, what_passes_before_its_time_is_never_told) {
  Bench bench(rule("below", 0, 60));
  bench.hold(-1, 60s).hold(0, 15s).hold(-1, 60s);
  EXPECT_EQ(bench.told(), Strings());
  EXPECT_EQ(bench.hold(-1, 15s).told(), Strings{"firing"});
}

TEST(Engine, between_limit_and_hysteresis_nothing_changes) {
  config::Alert tank = rule("above", 10);
  tank.hysteresis = 2;
  Bench bench(tank);
  EXPECT_EQ(bench.hold(9, 1min).told(), Strings());
  EXPECT_EQ(bench.hold(11, 15s).told(), Strings{"firing"});
  EXPECT_EQ(bench.hold(8.1, 10min).told(), Strings());
  EXPECT_EQ(bench.hold(8, 15s).told(), Strings{"resolved"});
  EXPECT_EQ(bench.hold(9, 10min).told(), Strings());
}

TEST(Engine, it_ends_only_when_it_has_been_well_for_its_time) {
  config::Alert flaky = rule("above", 10);
  flaky.clear_for_s = 60;
  Bench bench(flaky);
  bench.hold(11, 15s);
  for (int i = 0; i < 20; ++i) bench.hold(9, 45s).hold(11, 15s);
  EXPECT_EQ(bench.told(), Strings{"firing"}) << "one notice, however often it flaps";
  EXPECT_EQ(bench.hold(9, 60s).told(), Strings());
  EXPECT_EQ(bench.hold(9, 15s).told(), Strings{"resolved"});
}

TEST(Engine, each_matching_series_is_an_alert_of_its_own) {
  config::Alert down = rule("below", 1);
  down.labels = {{"job", "rltune"}};
  Bench bench(down);
  bench.sample(0, {{"job", "rltune"}, {"role", "io"}});
  bench.sample(0, {{"job", "rltune"}, {"role", "agent"}});
  bench.sample(1, {{"job", "rltune"}, {"role", "learner"}});
  bench.sample(0, {{"job", "other"}, {"role", "x"}});
  bench.evaluate();
  EXPECT_EQ(bench.told(), (Strings{"firing", "firing"}));
  bench.sample(1, {{"job", "rltune"}, {"role", "agent"}});
  bench.evaluate();
  EXPECT_EQ(bench.told(), Strings{"resolved"});
  ASSERT_EQ(bench.engine_->instances().size(), 1U);
  EXPECT_EQ(bench.engine_->instances()[0].labels.at("role"), "io");
  EXPECT_EQ(bench.engine_->instances()[0].summary, "m is 0, below 1 (role io)");
}

TEST(Engine, a_series_that_ends_ends_its_alert_after_the_lookback) {
  Bench bench(rule("above", 10));
  EXPECT_EQ(bench.hold(11, 15s).told(), Strings{"firing"});
  EXPECT_EQ(bench.wait(5min).told(), Strings());
  EXPECT_EQ(bench.wait(15s).told(), Strings{"resolved"});
  EXPECT_EQ(bench.engine_->counts().series, 0U);
}

TEST(Engine, what_is_no_number_is_neither_above_nor_below) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(Bench(rule("above", 10)).hold(none, 1min).told(), Strings());
  EXPECT_EQ(Bench(rule("below", 10)).hold(none, 1min).told(), Strings());
  EXPECT_EQ(Bench(rule("above", 10)).hold(std::numeric_limits<double>::infinity(), 15s).told(), Strings{"firing"});
}

TEST(Engine, absence_of_a_metric_is_one_alert_that_ends_with_its_first_sample) {
  Bench bench(rule("absent", 0, 120));
  EXPECT_EQ(bench.wait(105s).told(), Strings());
  EXPECT_EQ(bench.wait(15s).told(), Strings{"firing"});
  EXPECT_EQ(bench.last_.summary, "m was not reported for 120 s");
  bench.sample(5);
  bench.evaluate();
  EXPECT_EQ(bench.told(), Strings{"resolved"});
  EXPECT_EQ(bench.hold(1, 10min).told(), Strings());
  EXPECT_EQ(bench.wait(120s).told(), Strings{"firing"});
}

TEST(Engine, increase_counts_what_a_counter_grew_within_the_window_through_its_resets) {
  config::Alert restarts = rule("above", 3);
  restarts.of = "increase", restarts.window_s = 600;
  Bench bench(restarts);
  bench.hold(1000, 1min);
  EXPECT_EQ(bench.told(), Strings()) << "what it had counted before is no increase";
  bench.hold(1002, 1min).hold(1, 1min);  // the process began anew: one more
  EXPECT_EQ(bench.told(), Strings());
  EXPECT_EQ(bench.hold(2, 15s).told(), Strings{"firing"});
  EXPECT_EQ(bench.last_.value, 4.0);
  EXPECT_EQ(bench.hold(2, 7min + 45s).told(), Strings());
  EXPECT_EQ(bench.hold(2, 15s).told(), Strings{"resolved"}) << "the first two have left the window";
}

TEST(Engine, rate_is_a_second_and_ratio_compares_what_grew) {
  config::Alert rate = rule("above", 0.9);
  rate.of = "rate", rate.window_s = 300;
  Bench busy(rate);
  for (int i = 0; i <= 40; ++i) busy.hold(i * 15.0, 15s);
  EXPECT_EQ(busy.told(), Strings{"firing"});
  EXPECT_EQ(busy.last_.summary, "rate of m is 0.95 within 300 s, above 0.9") << "as soon as it is more";

  config::Alert success = rule("below", 0.9);
  success.of = "ratio", success.per = "all", success.window_s = 300, success.labels = {{"outcome", "ok"}};
  Bench bench(success);
  double ok = 0, all = 0;
  const auto decide = [&](double good, double of, Duration duration) {
    for (const TimePoint end = bench.now_ + duration; bench.now_ < end;) {
      bench.now_ += 15s;
      bench.sample(ok += good, {{"outcome", "ok"}, {"role", "a"}});
      bench.sample(5, {{"outcome", "hold"}, {"role", "a"}});
      bench.sample(all += of, {{"role", "a"}}, "all");
      bench.evaluate();
    }
  };
  decide(10, 10, 10min);
  EXPECT_EQ(bench.told(), Strings());
  decide(8, 10, 10min);
  EXPECT_EQ(bench.told(), Strings{"firing"});
  EXPECT_EQ(bench.last_.labels, (std::map<std::string, std::string>{{"role", "a"}}));
  decide(10, 10, 10min);
  EXPECT_EQ(bench.told(), Strings{"resolved"});
  decide(0, 0, 10min);
  EXPECT_EQ(bench.told(), Strings()) << "of nothing there is no ratio";
}

TEST(Engine, age_is_how_long_ago_a_time_was) {
  config::Alert old = rule("above", 600);
  old.of = "age";
  Bench bench(old);
  const double then = to_seconds(bench.now_.time_since_epoch());
  EXPECT_EQ(bench.hold(then, 10min).told(), Strings());
  EXPECT_EQ(bench.hold(then, 15s).told(), Strings{"firing"});
  EXPECT_EQ(bench.hold(then + 600, 15s).told(), Strings{"resolved"});
}

TEST(Engine, log_entries_of_a_service_level_and_text_count_within_the_window) {
  config::Alert errors = rule("above", 2);
  errors.metric.clear(), errors.window_s = 600;
  errors.log = config::LogMatch{.service = "io", .level = "ERROR", .contains = "valve"};
  Bench bench(errors);
  bench.entry("valve 1 is stuck");
  bench.entry("valve 2 is stuck", log::Level::critical);
  bench.entry("valve 3 is slow", log::Level::warning);
  bench.entry("valve 4 is stuck", log::Level::error, "agent");
  bench.entry("pump 1 is stuck");
  EXPECT_EQ(bench.wait(5min).told(), Strings());
  bench.entry("valve 5 is stuck");
  EXPECT_EQ(bench.wait(15s).told(), Strings{"firing"});
  EXPECT_EQ(bench.last_.summary, "3 log entries of io of level ERROR or worse with 'valve' in 600 s, above 2");
  EXPECT_EQ(bench.wait(5min).told(), Strings{"resolved"});
}

TEST(Engine, absence_of_log_entries_is_an_alert) {
  config::Alert silent = rule("absent", 0, 300);
  silent.metric.clear();
  silent.log = config::LogMatch{.service = "io", .level = "INFO", .contains = "decided"};
  Bench bench(silent);
  bench.wait(4min);
  bench.entry("decided", log::Level::info);
  bench.wait(4min);
  bench.entry("something else", log::Level::info);
  EXPECT_EQ(bench.wait(45s).told(), Strings());
  EXPECT_EQ(bench.wait(15s).told(), Strings{"firing"});
  bench.entry("decided", log::Level::info);
  EXPECT_EQ(bench.wait(15s).told(), Strings{"resolved"});
}

TEST(Engine, while_it_lasts_it_is_told_again_until_somebody_acknowledges_it) {
  config::Alert lasting = rule("above", 10);
  lasting.repeat_minutes = 60;
  Bench bench(lasting);
  EXPECT_EQ(bench.hold(11, 3h + 15s).told(), (Strings{"firing", "repeated", "repeated", "repeated"}));
  const std::string id = bench.engine_->instances()[0].id;
  const auto acknowledged =
      bench.engine_->acknowledge(id, "ada", "the pump is being changed", std::nullopt, bench.now_);
  ASSERT_TRUE(acknowledged) << acknowledged.error().message;
  EXPECT_EQ(bench.told(), Strings{"acknowledged"});
  EXPECT_EQ(bench.last_.acknowledged->who, "ada");
  EXPECT_EQ(bench.hold(11, 24h).told(), Strings());
  EXPECT_EQ(bench.hold(9, 15s).told(), Strings{"resolved"});
  EXPECT_EQ(bench.hold(11, 15s).told(), Strings{"firing"}) << "another time is another alert";
  EXPECT_FALSE(bench.engine_->instances()[0].acknowledged);
}

TEST(Engine, a_silence_ends_by_itself_and_what_lasts_is_told_at_once) {
  Bench bench(rule("above", 10));
  bench.hold(11, 15s);
  const std::string id = bench.engine_->instances()[0].id;
  ASSERT_TRUE(bench.engine_->acknowledge(id, "ada", "maintenance", bench.now_ + 8h, bench.now_));
  EXPECT_EQ(bench.told(), (Strings{"firing", "acknowledged"}));
  EXPECT_EQ(bench.hold(11, 8h - 15s).told(), Strings());
  EXPECT_EQ(bench.hold(11, 15s).told(), Strings{"repeated"});
}

TEST(Engine, an_acknowledgement_needs_an_alert_a_name_and_an_end_to_come) {
  Bench bench(rule("above", 10));
  EXPECT_EQ(bench.engine_->acknowledge("rule-0", "ada", "", {}, bench.now_).error().code, Errc::not_found);
  bench.hold(11, 15s);
  const std::string id = bench.engine_->instances()[0].id;
  EXPECT_EQ(bench.engine_->acknowledge(id, "", "", {}, bench.now_).error().code, Errc::invalid_argument);
  EXPECT_EQ(bench.engine_->acknowledge(id, "ada", "", bench.now_, bench.now_).error().code, Errc::invalid_argument);
  EXPECT_EQ(bench.engine_->acknowledge(id, "ada", std::string(2000, 'x'), {}, bench.now_).error().code,
            Errc::invalid_argument);
}

TEST(Engine, a_restart_neither_loses_nor_repeats_what_is_told) {
  Bench bench(rule("above", 10, 60));
  bench.hold(11, 45s);
  bench.restart(20s);
  EXPECT_EQ(bench.engine_->instances().size(), 1U) << "pending still";
  EXPECT_EQ(bench.hold(11, 15s).told(), Strings{"firing"}) << "as if nothing had been";
  const std::string key = bench.last_.key;
  bench.restart(1h);
  EXPECT_EQ(bench.wait(4min).told(), Strings()) << "nobody has been asked yet";
  EXPECT_EQ(bench.hold(11, 1min).told(), Strings());
  EXPECT_EQ(bench.hold(9, 15s).told(), Strings{"resolved"});
  EXPECT_EQ(bench.last_.key, key);
}

TEST(Engine, what_was_not_told_before_a_restart_is_told_after_it) {
  Bench bench(rule("above", 10));
  bench.hold(11, 15s);
  bench.restart();
  EXPECT_EQ(bench.told(), Strings{"firing"});
  bench.restart();
  EXPECT_EQ(bench.told(), Strings());
}

TEST(Engine, a_pause_of_ours_is_no_absence_and_ends_what_was_only_pending) {
  Bench absent(rule("absent", 0, 300));
  absent.hold(1, 1min).wait(4min);
  absent.restart(24h);
  EXPECT_EQ(absent.wait(45s).told(), Strings());
  EXPECT_EQ(absent.wait(15s).told(), Strings{"firing"}) << "the minutes before the pause count, the pause does not";
  Bench pending(rule("above", 10, 600));
  pending.hold(11, 9min);
  pending.restart(1h);
  EXPECT_EQ(pending.hold(11, 9min).told(), Strings());
}

TEST(Engine, what_grew_before_a_restart_counts_after_it) {
  config::Alert restarts = rule("above", 3);
  restarts.of = "increase", restarts.window_s = 600;
  Bench bench(restarts);
  bench.hold(10, 15s).hold(12, 15s);
  bench.restart(30s);
  EXPECT_EQ(bench.hold(14, 15s).told(), Strings{"firing"});
  EXPECT_EQ(bench.last_.value, 4.0);
}

TEST(Engine, an_alert_whose_rule_is_gone_is_over_for_those_who_were_told) {
  Bench bench(rule("above", 10));
  bench.hold(11, 15s);
  bench.told();
  bench.alerts_.alerts[0].name = "other";
  bench.restart();
  EXPECT_EQ(bench.told(), Strings{"resolved"});
  EXPECT_EQ(bench.last_.rule, "rule");
}

TEST(Engine, a_state_that_cannot_be_read_changes_nothing) {
  Bench bench(rule("above", 10));
  bench.hold(11, 15s);
  const std::string state = bench.engine_->state();
  for (const std::string& bad : {std::string(), std::string("{}"), std::string("[]"), state.substr(0, state.size() / 2),
                                 std::string(R"({"format": 99})")}) {
    EXPECT_EQ(bench.engine_->restore(bad, bench.now_).error().code, Errc::corrupt) << bad;
    EXPECT_EQ(bench.engine_->state(), state);
  }
}

TEST(Engine, series_alerts_and_notices_beyond_their_limits_are_left_out_and_counted) {
  Bench bench(rule("above", 10), {.series_max = 100, .instances_max = 10, .outbox_max = 5});
  for (int i = 0; i < 1000; ++i) bench.sample(11, {{"n", std::to_string(i)}});
  bench.evaluate();
  const EngineCounts counts = bench.engine_->counts();
  EXPECT_EQ(counts.series, 100U);
  EXPECT_EQ(counts.series_left_out, 900U);
  EXPECT_EQ(counts.firing, 10U);
  EXPECT_EQ(counts.instances_left_out, 90U);
  EXPECT_EQ(counts.notices, 10U);
  EXPECT_EQ(counts.notices_dropped, 5U);
  EXPECT_EQ(bench.engine_->outbox().size(), 5U);
}

// What is in the outbox, "firing KEY", taken as told.
Strings take_told(Engine& engine) {
  Strings told;
  while (!engine.outbox().empty()) {
    const Notice& notice = engine.outbox().front();
    told.push_back(std::string(to_string(notice.kind)) + " " + notice.key);
    engine.told(notice.number);
  }
  return told;
}

// Of each alert firing comes first and resolved last, and each once.
TEST(Engine, any_course_with_restarts_tells_what_it_tells_without) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    config::Alert any = rule("above", 10, seed % 3 == 0 ? 0 : 45);
    any.clear_for_s = seed % 2 == 0 ? 0 : 30;
    any.hysteresis = seed % 5 == 0 ? 2 : 0;
    any.repeat_minutes = 10;
    Bench plain(any), restarted(any);
    Random random(seed);
    std::map<std::string, bool> open;  // by the alert's key: not resolved yet
    for (int i = 0; i < 300; ++i) {
      plain.now_ += 15s, restarted.now_ += 15s;
      for (const char* n : {"0", "1", "2"}) {
        const double value = random.uniform(7, 14);
        plain.sample(value, {{"n", n}}), restarted.sample(value, {{"n", n}});
      }
      plain.evaluate(), restarted.evaluate();
      if (random.uniform() < 0.2) restarted.restart();
      const Strings expected = take_told(*plain.engine_);
      ASSERT_EQ(take_told(*restarted.engine_), expected) << "seed " << seed << " step " << i;
      for (const std::string& told : expected) {
        const std::string key = told.substr(told.find(' ') + 1);
        EXPECT_EQ(open.contains(key), !told.starts_with("firing")) << told;
        EXPECT_TRUE(told.starts_with("firing") || open[key]) << told;
        open[key] = !told.starts_with("resolved");
      }
    }
  }
}

}  // namespace
}  // namespace rltune::alerts
