#include "rltune/controllers/controller_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rltune/base/file.hpp"

namespace rltune::controllers {
namespace {

using testing::HasSubstr;

class ControllerFileTest : public testing::Test {
 protected:
  std::filesystem::path path_ = std::filesystem::path(testing::TempDir()) / "controller_file_test.yaml";
  std::string error_of(const std::string& yaml) {
    EXPECT_TRUE(write_file(path_, yaml));
    const auto loaded = load_controller_file(path_);
    EXPECT_FALSE(loaded);
    return loaded ? "" : loaded.error().message;
  }
};

TEST_F(ControllerFileTest, comes_back_to_the_same_bits) {
  const ControllerFile file{
      "lettuce", "rule", {{"heat_gain", 0.1 + 0.2}, {"vent_gain", 1e-17}}, {{"weather", "synthetic"}, {"seed", "1"}}};
  ASSERT_TRUE(save_controller_file(path_, file));
  const ControllerFile loaded = load_controller_file(path_).value();
  EXPECT_EQ(loaded.plant, file.plant);
  EXPECT_EQ(loaded.controller, file.controller);
  EXPECT_EQ(loaded.parameters, file.parameters);
  EXPECT_EQ(loaded.tuning, file.tuning);
}

TEST_F(ControllerFileTest, errors_name_the_line_and_the_field) {
  const std::string head = "schema: rltune/controller/v1\nplant: lettuce\ncontroller: rule\n";
  EXPECT_THAT(error_of(head + "parameters:\n  heat_gain: warm\n"),
              HasSubstr(":5: parameters.heat_gain: wants a finite number"));
  EXPECT_THAT(error_of(head + "parameters:\n  heat_gain: .nan\n"), HasSubstr("finite"));
  EXPECT_THAT(error_of(head + "paramters: {}\n"), HasSubstr(":4: unknown field 'paramters'"));
  EXPECT_THAT(error_of("schema: rltune/controller/v9\n"), HasSubstr("wants rltune/controller/v1"));
  EXPECT_THAT(error_of("schema: rltune/controller/v1\nplant: lettuce\n"), HasSubstr("'controller' is missing"));
  EXPECT_THAT(error_of(head + "parameters: [1, 2]\n"), HasSubstr("names with values"));
  EXPECT_THAT(error_of("a: [\n"), HasSubstr("controller_file_test.yaml:"));
}

TEST_F(ControllerFileTest, a_missing_file_is_not_found) {
  EXPECT_EQ(load_controller_file("/nowhere/controller.yaml").error().code, Errc::not_found);
}

}  // namespace
}  // namespace rltune::controllers
