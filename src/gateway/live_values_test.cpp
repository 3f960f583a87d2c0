#include "live_values.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "rltune/api/json.hpp"
#include "rltune/v1/control.pb.h"

namespace rltune::gateway {
namespace {

using api::Json;

v1::SampleBatch batch(std::uint32_t tag, double value, std::int64_t at_ms, std::uint32_t element = 0,
                      std::uint32_t quality = 0) {
  v1::SampleBatch samples;
  v1::Sample& sample = *samples.add_samples();
  sample.set_tag(tag);
  sample.set_element(element);
  sample.set_value(value);
  sample.set_source_unix_ns(at_ms * 1'000'000);
  sample.set_quality(quality);
  return samples;
}

class LiveValuesTest : public ::testing::Test {
 protected:
  Json since(std::uint64_t frame, const std::vector<std::uint32_t>& places = {0, 1, 2, 3}) const {
    const std::string text = values_.text(places, frame, "e");
    return text.empty() ? Json() : Json::parse(text);
  }
  LiveValues values_{{{"air", 1}, {"forecast", 2}, {"vent", 1}}};
};

TEST_F(LiveValuesTest, a_frame_holds_what_changed_since_another_one) {
  values_.take(batch(0, 21.5, 1000));
  values_.take(batch(2, 40.0, 1000));
  EXPECT_EQ(values_.end_frame(), 1U);
  values_.take(batch(0, 22.0, 2000));
  values_.take(batch(0, 22.5, 3000));
  EXPECT_EQ(values_.end_frame(), 2U);
  EXPECT_EQ(since(1), Json::parse(R"({"epoch":"e","frame":2,"values":{"air":[22.5,"good",3000]}})"));
  EXPECT_EQ(since(0),
            Json::parse(R"({"epoch":"e","frame":2,"values":{"air":[22.5,"good",3000],"vent":[40,"good",1000]}})"));
  EXPECT_EQ(since(2), Json());
  EXPECT_EQ(since(0, {1, 2}), Json()) << "of other tags nothing came";
}

TEST_F(LiveValuesTest, nothing_new_is_no_frame) {
  EXPECT_FALSE(values_.end_frame());
  values_.take(batch(0, 1.0, 1000));
  EXPECT_TRUE(values_.end_frame());
  values_.take(batch(0, 1.0, 1000));
  values_.take(batch(0, 9.0, 900));
  EXPECT_FALSE(values_.end_frame()) << "asked for again, or older";
  values_.take(batch(0, 1.0, 1000, 0, 2));
  EXPECT_TRUE(values_.end_frame()) << "it is bad now";
}

TEST_F(LiveValuesTest, what_is_under_way_is_not_told_yet) {
  values_.take(batch(0, 1.0, 1000));
  EXPECT_EQ(since(0), Json());
  values_.end_frame();
  EXPECT_NE(since(0), Json());
}

TEST_F(LiveValuesTest, elements_of_an_array_have_names_and_strange_samples_are_passed_by) {
  EXPECT_EQ(values_.places_of("forecast"), (std::vector<std::uint32_t>{1, 2}));
  EXPECT_TRUE(values_.places_of("nothing").empty());
  values_.take(batch(1, 5.0, 1000, 1));
  values_.take(batch(1, 5.0, 1000, 2));
  values_.take(batch(0, 5.0, 1000, 1));
  values_.take(batch(7, 5.0, 1000));
  values_.take(batch(std::numeric_limits<std::uint32_t>::max(), 5.0, 1000));
  values_.take(batch(1, 5.0, 1000, std::numeric_limits<std::uint32_t>::max()));
  values_.end_frame();
  EXPECT_EQ(since(0)["values"], Json::parse(R"({"forecast[1]":[5,"good",1000]})"));
}

TEST_F(LiveValuesTest, a_value_that_is_no_number_is_null) {
  values_.take(batch(0, std::numeric_limits<double>::quiet_NaN(), 1000, 0, 2));
  values_.take(batch(2, std::numeric_limits<double>::infinity(), 1000, 0, 1));
  values_.end_frame();
  EXPECT_EQ(since(0)["values"], Json::parse(R"({"air":[null,"bad",1000],"vent":[null,"uncertain",1000]})"));
}

}  // namespace
}  // namespace rltune::gateway
