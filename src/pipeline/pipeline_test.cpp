#include "rltune/pipeline/pipeline.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace rltune::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1'700'000'000s};

constexpr std::uint16_t operator|(Health a, Health b) {
  return static_cast<std::uint16_t>(static_cast<int>(a) | static_cast<int>(b));
}
constexpr std::uint16_t only(Health a) { return static_cast<std::uint16_t>(a); }

class PipelineTest : public testing::Test {
 protected:
  PipelineTest() {
    config::Tag temperature;
    temperature.name = "temperature";
    temperature.operating = {-10.0, 60.0};
    temperature.step_limit = 5.0;
    temperature.imputation = config::Imputation::hold;
    config::Tag forecast;
    forecast.name = "forecast";
    forecast.role = config::TagRole::forecast;
    forecast.elements = 3;
    forecast.imputation = config::Imputation::none;
    config::Tag heating;
    heating.name = "heating";
    heating.role = config::TagRole::setpoint;
    heating.operating = {0.0, 10.0};
    site_.tags = {temperature, forecast, heating};
    site_.agents.resize(1);
    site_.agents[0].period_s = 10.0;  // stale after 30 s, replaced for 30 s
  }

  Pipeline& pipeline() {
    if (!pipeline_) pipeline_.emplace(std::move(*Pipeline::create(site_)));
    return *pipeline_;
  }
  void add(double value, Duration at, Quality quality = Quality::good, std::uint32_t tag = 0,
           std::uint32_t element = 0) {
    const Sample sample{.tag = tag, .element = element, .value = value, .source_time = kStart + at, .quality = quality};
    pipeline().add({&sample, 1});
  }
  TagValue judge(Duration at, std::size_t element = 0) {
    std::vector<TagValue> out(pipeline().elements());
    pipeline().judge(kStart + at, out);
    return out[element];
  }

  config::Site site_;
  std::optional<Pipeline> pipeline_;
};

TEST_F(PipelineTest, a_good_value_passes) {
  add(20.0, 0s);
  const TagValue value = judge(1s);
  EXPECT_EQ(value.value, 20.0);
  EXPECT_EQ(value.health, 0);
  EXPECT_TRUE(value.usable);
}

TEST_F(PipelineTest, what_never_came_is_missing_and_not_usable) {
  const TagValue value = judge(0s);
  EXPECT_EQ(value.health, only(Health::missing));
  EXPECT_FALSE(value.usable);
  EXPECT_TRUE(std::isnan(value.value));
}

TEST_F(PipelineTest, a_stale_value_stands_in_marked_and_then_no_more) {
  add(20.0, 0s);
  EXPECT_EQ(judge(30s).health, 0);
  TagValue value = judge(31s);
  EXPECT_EQ(value.health, Health::stale | Health::imputed);
  EXPECT_TRUE(value.usable);
  value = judge(61s);
  EXPECT_TRUE(value.usable);
  value = judge(62s);
  EXPECT_EQ(value.health, only(Health::stale));
  EXPECT_FALSE(value.usable);
}

TEST_F(PipelineTest, bad_quality_and_values_out_of_range_are_replaced_by_the_last_good_one) {
  add(20.0, 0s);
  add(21.0, 1s, Quality::bad);
  EXPECT_EQ(judge(1s).health, Health::bad_quality | Health::imputed);
  EXPECT_EQ(judge(1s).value, 20.0);
  add(21.0, 2s, Quality::uncertain);
  EXPECT_EQ(judge(2s).health, Health::bad_quality | Health::imputed);
  add(20.5, 3s);
  EXPECT_EQ(judge(3s).health, 0);
  add(61.0, 4s);
  EXPECT_EQ(judge(4s).health & only(Health::out_of_range), only(Health::out_of_range));
  EXPECT_EQ(judge(4s).value, 20.5);
  add(std::nan(""), 5s);
  EXPECT_EQ(judge(5s).health, Health::not_finite | Health::imputed);
}

TEST_F(PipelineTest, uncertain_is_good_where_the_site_says_so) {
  site_.tags[0].uncertain_is_good = true;
  add(21.0, 0s, Quality::uncertain);
  EXPECT_EQ(judge(0s).health, 0);
}

TEST_F(PipelineTest, a_jump_is_a_spike_until_it_is_confirmed) {
  add(20.0, 0s);
  add(30.0, 1s);
  EXPECT_EQ(judge(1s).health, Health::spike | Health::imputed);
  EXPECT_EQ(judge(1s).value, 20.0);
  add(30.5, 2s);
  EXPECT_EQ(judge(2s).health, 0);
  EXPECT_EQ(judge(2s).value, 30.5);
}

TEST_F(PipelineTest, a_flat_line_is_healthy_unless_the_tag_has_a_limit) {
  for (int second = 0; second <= 100; ++second) add(20.0, std::chrono::seconds(second));
  EXPECT_EQ(judge(100s).health, 0);
  site_.tags[0].frozen_after_s = 50.0;
  pipeline_.reset();
  for (int second = 0; second <= 51; ++second) add(20.0, std::chrono::seconds(second));
  EXPECT_EQ(judge(50s).health, 0);
  EXPECT_EQ(judge(51s).health, Health::frozen | Health::imputed);
}

TEST_F(PipelineTest, an_older_sample_is_ignored) {
  add(20.0, 10s);
  add(18.0, 5s);
  EXPECT_EQ(judge(10s).value, 20.0);
}

TEST_F(PipelineTest, a_bad_sample_from_another_clock_does_not_lock_out_good_ones) {
  add(20.0, 0s);
  judge(1s);
  add(std::nan(""), 24h * 4000, Quality::bad);
  EXPECT_TRUE(judge(1s).health & only(Health::bad_quality));
  add(20.5, 2s);
  EXPECT_EQ(judge(2s).value, 20.5);
  EXPECT_EQ(judge(2s).health, 0);
}

TEST_F(PipelineTest, a_clock_set_back_is_noticed_and_followed) {
  add(20.0, 1000s);
  EXPECT_EQ(judge(1000s).health, 0);
  EXPECT_EQ(judge(10s).health, Health::stale | Health::imputed);
  add(19.0, 11s);
  EXPECT_EQ(judge(11s).health, 0);
  EXPECT_EQ(judge(11s).value, 19.0);
}

TEST_F(PipelineTest, elements_of_an_array_are_judged_apart) {
  EXPECT_EQ(pipeline().elements(), 5U);
  EXPECT_EQ(pipeline().element_offset(1), 1U);
  add(1.0, 0s, Quality::good, 1, 0);
  add(3.0, 0s, Quality::good, 1, 2);
  add(9.0, 0s, Quality::good, 1, 3);  // beyond the array
  add(9.0, 0s, Quality::good, 7, 0);  // no such tag
  EXPECT_TRUE(judge(0s, 1).usable);
  EXPECT_FALSE(judge(0s, 2).usable);
  EXPECT_TRUE(judge(0s, 3).usable);
  EXPECT_FALSE(judge(0s, 4).usable);
}

TEST_F(PipelineTest, a_set_point_stays_good_while_nobody_writes_it) {
  add(150.0, 0s, Quality::good, 2);
  const TagValue value = judge(24h, 4);
  EXPECT_TRUE(value.usable);
  EXPECT_EQ(value.health, 0);
}

TEST_F(PipelineTest, a_fixed_value_stands_in_even_for_what_never_came) {
  site_.tags[0].imputation = config::Imputation::value;
  site_.tags[0].imputation_value = 15.0;
  EXPECT_EQ(judge(0s).value, 15.0);
  EXPECT_EQ(judge(0s).health, Health::missing | Health::imputed);
  EXPECT_FALSE(judge(31s).usable);
}

}  // namespace
}  // namespace rltune::pipeline
