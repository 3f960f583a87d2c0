#include "plant_operations.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "gateway_fixture.hpp"

namespace rltune::gateway {
namespace {

class PlantOperations : public GatewayTest {
 protected:
  void SetUp() override {
    library_.plant.mutable_model()->set_name("reactor");
    v1::PlantVariable& input = *library_.plant.add_inputs();
    input.set_name("coolant");
    input.set_low(280.0);
    input.set_high(std::numeric_limits<double>::infinity());
    v1::PlantParameter& parameter = *library_.plant.add_parameters();
    parameter.set_name("volume");
    parameter.set_value(0.1);
    GatewayTest::SetUp();
  }
};

TEST_F(PlantOperations, the_models_are_listed) {
  const json list = json::parse(call("GET /api/v1/plants", token("viewer")).body);
  EXPECT_EQ(asked(), "records.PlantModels coredinator.records by viewer");
  ASSERT_EQ(list["plants"].size(), 1U);
  EXPECT_EQ(list["plants"][0]["name"], "reactor");
}

TEST_F(PlantOperations, one_is_told_and_a_bound_that_it_does_not_have_is_left_out) {
  const json plant = json::parse(call("GET /api/v1/plants/reactor", token("viewer")).body);
  EXPECT_EQ(plant["inputs"][0]["low"], 280.0);
  EXPECT_FALSE(plant["inputs"][0].contains("high"));
  EXPECT_EQ(plant["parameters"][0]["value"], 0.1);
  EXPECT_EQ(call("GET /api/v1/plants/nothing", token("viewer")).status, 404);
}

TEST_F(PlantOperations, the_site_says_which_it_is) {
  const json site = json::parse(call("GET /api/v1/site", token("viewer")).body);
  EXPECT_EQ(site["name"], "north");
  EXPECT_EQ(site["clock"], "wall");
  EXPECT_EQ(site["agents"], json({"climate"}));
  EXPECT_TRUE(site.contains("version"));
}

}  // namespace
}  // namespace rltune::gateway
