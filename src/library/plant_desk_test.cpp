#include "rltune/library/plant_desk.hpp"

#include <gtest/gtest.h>

#include "rltune/env/plants.hpp"

namespace rltune::library {
namespace {

TEST(PlantDesk, every_model_of_the_build_is_listed_and_told) {
  v1::PlantModelsAnswer list;
  list_plant_models(list);
  ASSERT_EQ(static_cast<std::size_t>(list.models_size()), env::plant_names().size());
  for (const v1::PlantModelInfo& info : list.models()) {
    v1::PlantModelRequest request;
    request.set_model(info.name());
    v1::PlantModelAnswer told;
    ASSERT_TRUE(tell_plant_model(request, told)) << info.name();
    EXPECT_EQ(told.model().description(), info.description());
    EXPECT_GT(told.sample_period_s(), 0.0);
    EXPECT_GT(told.episode_steps(), 0U);
    EXPECT_GT(told.inputs_size(), 0);
    EXPECT_GT(told.measurements_size(), 0);
  }
}

TEST(PlantDesk, one_is_told_as_it_is_made) {
  v1::PlantModelRequest request;
  request.set_model("lettuce");
  v1::PlantModelAnswer told;
  ASSERT_TRUE(tell_plant_model(request, told));
  const auto model = env::make_plant("lettuce", 1);
  const env::PlantSpec& spec = (*model)->spec();
  EXPECT_EQ(told.parameters_sha256(), env::parameters_sha256(spec));
  ASSERT_EQ(static_cast<std::size_t>(told.parameters_size()), spec.parameters.size());
  EXPECT_EQ(told.parameters(0).value(), spec.parameters[0].value);
  ASSERT_EQ(static_cast<std::size_t>(told.inputs_size()), spec.inputs.size());
  EXPECT_EQ(told.inputs(0).name(), spec.inputs[0].name);
  EXPECT_EQ(told.inputs(0).high(), spec.inputs[0].high);
}

TEST(PlantDesk, what_is_no_model_is_not_found) {
  v1::PlantModelAnswer told;
  for (const char* name : {"", "nothing", "../lettuce", "plugin.so"}) {
    v1::PlantModelRequest request;
    request.set_model(name);
    EXPECT_EQ(tell_plant_model(request, told).error().code, Errc::not_found) << name;
  }
}

}  // namespace
}  // namespace rltune::library
