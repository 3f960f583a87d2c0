#include "rltune/env/randomisation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rltune::env {
namespace {

using testing::HasSubstr;

const PlantSpec& lettuce() {
  static const auto model = *make_plant("lettuce", 1);
  return model->spec();
}

Error refused(const std::string& body) {
  const auto parsed = parse_randomisation("schema: rltune/randomisation/v1\n" + body, "noise.yaml", lettuce());
  EXPECT_FALSE(parsed.has_value()) << body;
  return parsed ? Error{} : parsed.error();
}

TEST(randomisation, reads_a_whole_document) {
  const auto parsed = parse_randomisation(R"(
schema: rltune/randomisation/v1
plant: lettuce
parameters:
  all: {uniform: [0.9, 1.1]}
  c_leak: {normal: [1.0, 0.2]}
parameter_noise: 0.1
action_delay_steps: [0, 2]
sensor_noise:
  co2: {absolute: 20}
  air_temperature: {relative: 0.01}
sensor_dropouts:
  relative_humidity: {probability: 0.01, steps: [1, 12]}
exogenous:
  outdoor_temperature: {offset: {normal: [0, 1]}}
  outdoor_co2: {drift: {steps: [1, 99], slope: {uniform: [-1, 1]}, flat: 0.1}}
start_dates: {from: "11-01", to: "02-28"}
)",
                                          "noise.yaml", lettuce());
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_EQ(parsed->all_parameters->second, 1.1);
  EXPECT_EQ(parsed->parameters.at("c_leak").kind, Distribution::Kind::normal);
  EXPECT_EQ(parsed->parameter_noise, 0.1);
  EXPECT_EQ(parsed->action_delay_steps[1], 2U);
  EXPECT_EQ(parsed->sensor_noise.at("co2").absolute, 20.0);
  EXPECT_EQ(parsed->sensor_dropouts.at("relative_humidity").steps[1], 12U);
  EXPECT_EQ(parsed->exogenous.at("outdoor_temperature").offset.second, 1.0);
  EXPECT_EQ(parsed->exogenous.at("outdoor_co2").drift->steps[1], 99U);
  EXPECT_EQ(parsed->exogenous.at("outdoor_co2").drift->slope.first, -1.0);
  EXPECT_EQ(parsed->start_dates->from[0], 11U);
}

TEST(randomisation, errors_name_file_line_and_field) {
  const Error unknown = refused("parameter_noize: 0.1\n");
  EXPECT_EQ(unknown.code, Errc::parse);
  EXPECT_THAT(unknown.message,
              HasSubstr("noise.yaml: line 2: parameter_noize: unknown field; there are: action_delay_steps"));
  EXPECT_THAT(refused("\nsensor_noise:\n  co2: {absolute: much}\n").message,
              HasSubstr("line 4: sensor_noise.co2.absolute: a number"));
  EXPECT_THAT(refused("start_dates: {from: 2014-02-09}\n").message, HasSubstr("start_dates.from"));
  EXPECT_THAT(refused("exogenous: {outdoor_co2: {drift: {steps: [0, 9]}}}\n").message,
              HasSubstr("exogenous.outdoor_co2.drift.steps must be"));
  EXPECT_THAT(refused("parameters: {c_leak: {either: [1.1, 0.9]}}\n").message, HasSubstr("factors must stay above 0"));
  EXPECT_THAT(refused("plant: cstr\n").message, HasSubstr("must be 'lettuce'"));
  EXPECT_THAT(refused("parameter_noise: 0.1\nparameter_noise: 0.2\n").message, HasSubstr("twice"));
  EXPECT_THAT(refused("parameters: [\n").message, HasSubstr("noise.yaml: line"));
  EXPECT_THAT(refused("parameters: {all: {uniform: [1, 2], normal: [1, 2]}}\n").message, HasSubstr("one of uniform"));
}

TEST(randomisation, unknown_names_list_the_plants_own) {
  const Error parameter = refused("parameters:\n  c_leek: {uniform: [1, 2]}\n");
  EXPECT_EQ(parameter.code, Errc::not_found);
  EXPECT_THAT(parameter.message,
              HasSubstr("line 3: parameters.c_leek: the plant 'lettuce' has no such name; it has: c_ab"));
  EXPECT_THAT(refused("sensor_noise: {radiation: {absolute: 1}}\n").message, HasSubstr("relative_humidity"));
}

TEST(randomisation, refuses_factors_that_could_reach_zero) {
  EXPECT_THAT(refused("parameters: {all: {normal: [1.0, 0.4]}}\n").message, HasSubstr("above 0"));
  EXPECT_THAT(refused("parameters: {all: {uniform: [-1.0, 1.0]}}\n").message, HasSubstr("above 0"));
  EXPECT_THAT(refused("sensor_dropouts: {co2: {probability: 2}}\n").message, HasSubstr("[0, 1]"));
  EXPECT_THAT(refused("action_delay_steps: [3, 1]\n").message, HasSubstr("action_delay_steps"));
}

TEST(randomisation, needs_its_schema) {
  EXPECT_THAT(parse_randomisation("plant: lettuce\n", "noise.yaml", lettuce()).error().message,
              HasSubstr("schema: rltune/randomisation/v1"));
  EXPECT_FALSE(parse_randomisation("", "noise.yaml", lettuce()).has_value());
}

}  // namespace
}  // namespace rltune::env
