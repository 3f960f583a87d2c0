// rltune policy train on a plant from outside, loaded by its path, and on data that was recorded on one: by the
// executable.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <format>
#include <sstream>

#include "command_line.hpp"
#include "rltune/base/file.hpp"
#include "rltune/dataset/dataset.hpp"
#include "rltune/policy/artifact.hpp"

namespace rltune::lab {
namespace {

using testing::HasSubstr;

const std::string kTank = RLTUNE_BIN_DIR "/heated_tank.so";
const std::string kSmall = " --threads 1 --json --hyper hidden=32x32 --hyper batch_size=64";

double evaluated(const std::string& controller) {
  const Answer answer = lab("policy evaluate --plant " + kTank + " --episodes 3 --json --controller " + controller);
  EXPECT_EQ(answer.status, 0) << controller;
  return answer.json()["return_mean"];
}

// A policy learned on the plug-in, and what it and chance recorded together: half of the actions are each's.
class PlantTraining : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = std::make_unique<Scratch>();
    const Answer trained = lab("policy train --plant " + kTank + " --algorithm sac --steps 8000 --hyper n_envs=4" +
                               kSmall + " --no-validation --out " + path("sac"));
    ASSERT_EQ(trained.status, 0);
    const Answer recorded = lab("dataset record --plant " + kTank + " --policy " + path("sac") +
                                " --noise 0.5 --episodes 20 --out " + path("mixed.dataset") + " --json");
    ASSERT_EQ(recorded.status, 0);
    recorded_ = recorded.json();
  }
  static void TearDownTestSuite() { scratch_.reset(); }
  static std::string path(const std::string& name) { return (*scratch_ / name).string(); }
  static std::string offline(const std::string& algorithm, const std::string& data) {
    return "policy train --plant " + kTank + " --algorithm " + algorithm + " --dataset " + data + kSmall;
  }

  static inline std::unique_ptr<Scratch> scratch_;
  static inline nlohmann::json recorded_;
};

TEST_F(PlantTraining, a_policy_learns_to_run_a_plant_from_outside) {
  const double learned = evaluated(path("sac")), hold = evaluated("hold");
  const Answer chance =
      lab("dataset record --plant " + kTank + " --episodes 10 --json --out " + path("chance.dataset"));
  ASSERT_EQ(chance.status, 0);
  EXPECT_GT(learned, 0.5 * hold);
  EXPECT_GT(learned, 0.75 * chance.json()["return"]["mean"].get<double>());
  const auto artifact = policy::load_artifact(path("sac"));
  ASSERT_TRUE(artifact) << artifact.error().message;
  EXPECT_EQ(artifact->manifest.plant, "heated-tank");
  EXPECT_EQ(artifact->manifest.inputs[0].unit, "W");
}

TEST_F(PlantTraining, what_is_recorded_on_a_plant_is_in_its_units) {
  EXPECT_EQ(recorded_["observation"][0]["name"], "water_temperature");
  EXPECT_EQ(recorded_["observation"][0]["unit"], "degC");
  EXPECT_GT(recorded_["observation"][0]["high"], 30.0);
  EXPECT_LT(recorded_["observation"][0]["high"], 100.0) << "as the data shows, not as the sensor could";
  EXPECT_EQ(recorded_["action"][0]["unit"], "W");
  EXPECT_EQ(recorded_["action"][0]["high"], 8000.0);
  EXPECT_EQ(recorded_["metadata"]["plant"], "heated-tank");
  EXPECT_EQ(recorded_["transitions"], 20 * 360);
}

TEST_F(PlantTraining, a_controller_teaches_what_it_does) {
  const std::string rule = " --plant cstr --controller pid --param concentration_gain=6";
  ASSERT_EQ(lab("dataset record" + rule + " --episodes 50 --out " + path("pid.dataset")).status, 0);
  ASSERT_EQ(lab("policy train --plant cstr --algorithm bc --dataset " + path("pid.dataset") + " --steps 2000" + kSmall +
                " --no-validation --out " + path("taught"))
                .status,
            0);
  const auto played = [](const std::string& controller) {
    return lab("policy evaluate --plant cstr --json --controller " + controller).json()["return"].get<double>();
  };
  const double taught = played(path("taught")), teacher = played("pid --param concentration_gain=6");
  EXPECT_NEAR(taught, teacher, 0.25 * std::abs(teacher));
  EXPECT_GT(taught, played("hold") + 0.5 * (teacher - played("hold")));
}

TEST_F(PlantTraining, every_offline_algorithm_learns_from_it_better_than_what_it_saw) {
  for (const std::string algorithm : {"bc", "td3-bc", "iql"}) {
    const Answer trained =
        lab(offline(algorithm, path("mixed.dataset")) + " --steps 2000 --no-validation --out " + path(algorithm));
    ASSERT_EQ(trained.status, 0) << algorithm;
    EXPECT_EQ(trained.json()["updates"], 2000);
    EXPECT_GT(evaluated(path(algorithm)), recorded_["return"]["mean"].get<double>()) << algorithm;
  }
}

// Learned from data alone, examined on the plant beside a controller that is tuned there.
TEST_F(PlantTraining, it_ends_with_the_validation_of_every_policy) {
  const Answer trained = lab(offline("iql", path("mixed.dataset")) + " --steps 1000 --out " + path("validated"));
  ASSERT_EQ(trained.status, 0);
  EXPECT_TRUE(trained.json()["validation"]["against"].contains("controller")) << trained.output;
  const auto artifact = policy::load_artifact(path("validated"));
  ASSERT_TRUE(artifact);
  EXPECT_FALSE(artifact->manifest.validation.reasons.empty());
}

// The same records as an engineer's table: columns in any order, more of them, power in another range.
TEST_F(PlantTraining, a_table_in_the_plants_units_teaches_the_same) {
  const auto data = dataset::load(path("mixed.dataset"));
  ASSERT_TRUE(data);
  const std::size_t width = data->observation.size();
  std::string text = "episode,reward,obs:pump_current";
  for (std::size_t i = width; i-- > 0;) text += ",obs:" + data->observation[i].name;
  text += ",act:power[-500,12000]\n";
  for (std::size_t e = 0; e < data->episodes.size(); ++e) {
    const dataset::Episode& episode = data->episodes[e];
    for (std::size_t step = 0; step <= episode.steps(); ++step) {
      const bool last = step == episode.steps();
      text += std::format("{},{},3.5", e, last ? "" : std::format("{}", episode.rewards[step]));
      for (std::size_t i = width; i-- > 0;) text += std::format(",{}", episode.observations[step * width + i]);
      text += last ? ",\n" : std::format(",{}\n", 4000.0 * (static_cast<double>(episode.actions[step]) + 1.0));
    }
  }
  ASSERT_TRUE(write_file(path("table.csv"), text));
  const std::string how = " --steps 500 --no-validation --out ";
  ASSERT_EQ(lab(offline("bc", path("mixed.dataset")) + how + path("of_ours")).status, 0);
  ASSERT_EQ(lab(offline("bc", path("table.csv")) + how + path("of_table")).status, 0);
  EXPECT_NEAR(evaluated(path("of_table")), evaluated(path("of_ours")), 0.02 * std::abs(evaluated(path("of_ours"))));
}

TEST_F(PlantTraining, data_of_another_plant_is_refused_with_its_names) {
  const std::string what = " --algorithm bc --dataset " + path("mixed.dataset") + " --out " + path("refused");
  const Answer other = lab("policy train --plant cstr" + what, true);
  EXPECT_NE(other.status, 0);
  EXPECT_THAT(other.output, HasSubstr("the data has 5 observations"));
  const Answer leads = lab("policy train --plant " + kTank + " --forecast-leads 3" + what, true);
  EXPECT_NE(leads.status, 0);
  EXPECT_THAT(leads.output, HasSubstr("lack water_temperature_setpoint_ahead_3"));
}

}  // namespace
}  // namespace rltune::lab
