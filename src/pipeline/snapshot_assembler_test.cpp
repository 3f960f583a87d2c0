#include "rltune/pipeline/snapshot_assembler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace rltune::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

config::Tag tag(const std::string& name, config::TagRole role, const std::string& unit = "", std::size_t elements = 1) {
  config::Tag made;
  made.name = name;
  made.role = role;
  made.unit = unit;
  made.elements = elements;
  return made;
}

class AssemblerTest : public testing::Test {
 protected:
  AssemblerTest() {
    using Role = config::TagRole;
    site_.tags = {tag("heating", Role::setpoint, "W/m2"), tag("TIC-1", Role::measurement, "degC"),
                  tag("radiation", Role::exogenous), tag("radiation_ahead", Role::forecast, "", 3)};
    site_.tags[3].forecasts = "radiation";
    agent_.id = "climate";
    agent_.bindings = {{"air_temperature", "TIC-1"}};
    agent_.season_days = 10.0;
    agent_.season_start = "2026-02-01T00:00:00Z";
    shape_.measurements = {{"air_temperature", "degC", 0, 1, ""}};
    shape_.inputs = {{"heating", "W/m2", 0, 1, ""}};
    shape_.exogenous = {{"radiation", "W/m2", 0, 1, ""}};
    shape_.forecast_leads = 2;
  }
  Result<SnapshotAssembler> create() {
    pipeline_.emplace(std::move(*Pipeline::create(site_)));
    return SnapshotAssembler::create(site_, agent_, *pipeline_, shape_);
  }

  config::Site site_;
  config::Agent agent_;
  SnapshotShape shape_;
  std::optional<Pipeline> pipeline_;
};

TEST_F(AssemblerTest, values_stand_in_the_plants_order) {
  auto assembler = create();
  ASSERT_TRUE(assembler) << assembler.error().message;
  std::vector<TagValue> values;
  for (int i = 0; i < 6; ++i) values.push_back({.value = 10.0 + i, .usable = true});
  EXPECT_TRUE(assembler->assemble(values, *parse_rfc3339("2026-02-03T12:00:00Z")));
  const env::Snapshot& snapshot = assembler->snapshot();
  EXPECT_THAT(snapshot.measurements, ElementsAre(11.0));
  EXPECT_THAT(snapshot.inputs, ElementsAre(10.0));
  EXPECT_THAT(snapshot.exogenous, ElementsAre(12.0));
  EXPECT_THAT(snapshot.forecast, ElementsAre(13.0, 14.0));
  EXPECT_DOUBLE_EQ(snapshot.progress, 0.25);
  EXPECT_THAT(assembler->input_tags(), ElementsAre(0U));
}

TEST_F(AssemblerTest, one_value_that_is_not_usable_spoils_the_snapshot) {
  auto assembler = create();
  ASSERT_TRUE(assembler);
  std::vector<TagValue> values(6, {.value = 1.0, .usable = true});
  values[4].usable = false;
  EXPECT_FALSE(assembler->assemble(values, TimePoint{}));
  EXPECT_TRUE(std::isnan(assembler->snapshot().forecast[1]));
  values[4].usable = true;
  values[5].usable = false;  // a lead beyond what the policy looks at
  EXPECT_TRUE(assembler->assemble(values, TimePoint{}));
}

TEST_F(AssemblerTest, names_without_tags_and_other_units_are_refused_by_name) {
  agent_.bindings.clear();
  EXPECT_THAT(create().error().message, HasSubstr("air_temperature"));
  agent_.bindings = {{"air_temperature", "TIC-1"}};
  site_.tags[1].unit = "K";
  const auto other = create();
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Errc::mismatch);
  EXPECT_THAT(other.error().message, testing::AllOf(HasSubstr("degC"), HasSubstr("in K")));
  site_.tags[1].unit = "degC";
  shape_.forecast_leads = 4;
  EXPECT_EQ(create().error().code, Errc::mismatch);
}

}  // namespace
}  // namespace rltune::pipeline
