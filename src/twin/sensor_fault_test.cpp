#include "sensor_fault.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace rltune::twin {
namespace {

const TagValue kHealthy{21.5, TimePoint(std::chrono::seconds(2000)), TagStatus::good};
const TagValue kBefore{20.0, TimePoint(std::chrono::seconds(1000)), TagStatus::good};

TagValue shown(FaultKind kind, double value = 0.0) {
  TagValue shown = kBefore;
  EXPECT_TRUE(apply_fault({kind, value}, kHealthy, shown));
  return shown;
}

TEST(SensorFault, parses_every_kind_and_a_value) {
  for (const char* kind : {"none", "stuck", "nan", "infinite", "bad_status", "dropout", "wrong_type"})
    EXPECT_TRUE(parse_fault(std::string("co2 ") + kind)) << kind;
  const auto request = parse_fault("  air_temperature  value 55.5");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->tag, "air_temperature");
  EXPECT_EQ(request->fault.value, 55.5);
}

TEST(SensorFault, refuses_what_it_does_not_know) {
  for (const char* text : {"", "co2", "co2 broken", "co2 value", "co2 value x", "co2 value 5x", "co2 stuck now"})
    EXPECT_FALSE(parse_fault(text)) << text;
}

TEST(SensorFault, a_healthy_sensor_shows_the_new_value) {
  EXPECT_EQ(std::get<double>(shown(FaultKind::none).content), 21.5);
}

TEST(SensorFault, a_stuck_sensor_shows_its_old_value_at_the_new_time) {
  EXPECT_EQ(std::get<double>(shown(FaultKind::stuck).content), 20.0);
  EXPECT_EQ(shown(FaultKind::stuck).source_time, kHealthy.source_time);
}

TEST(SensorFault, shows_numbers_that_are_none_and_numbers_asked_for) {
  EXPECT_TRUE(std::isnan(std::get<double>(shown(FaultKind::nan).content)));
  EXPECT_TRUE(std::isinf(std::get<double>(shown(FaultKind::infinite).content)));
  EXPECT_EQ(std::get<double>(shown(FaultKind::value, 55.0).content), 55.0);
}

TEST(SensorFault, shows_a_bad_status_and_a_wrong_type) {
  EXPECT_EQ(shown(FaultKind::bad_status).status, TagStatus::sensor_failure);
  EXPECT_TRUE(std::holds_alternative<std::string>(shown(FaultKind::wrong_type).content));
}

TEST(SensorFault, a_dropout_shows_nothing_new) {
  TagValue shown = kBefore;
  EXPECT_FALSE(apply_fault({FaultKind::dropout, 0.0}, kHealthy, shown));
  EXPECT_EQ(shown.source_time, kBefore.source_time);
}

}  // namespace
}  // namespace rltune::twin
