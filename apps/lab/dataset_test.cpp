// rltune dataset and offline training, by the executable: from a table and from recorded episodes to a policy.
#include <gtest/gtest.h>

#include "command_line.hpp"
#include "rltune/base/file.hpp"

namespace rltune::lab {
namespace {

TEST(DatasetCommands, a_table_is_imported_and_shown) {
  const Scratch scratch;
  ASSERT_TRUE(write_file(scratch / "table.csv", "obs:x,act:heat[0,100],reward\n1,50,-1\n2,100,-2\n3,,\n"));
  const std::string table = (scratch / "table.csv").string(), out = (scratch / "table.dataset").string();
  const Answer imported = lab("dataset import " + table + " --out " + out + " --json");
  ASSERT_EQ(imported.status, 0);
  EXPECT_EQ(imported.json()["transitions"], 2);
  const Answer shown = lab("dataset show " + out + " --json");
  ASSERT_EQ(shown.status, 0);
  EXPECT_EQ(shown.json()["return"]["mean"], -3.0);
  EXPECT_EQ(shown.json()["action"][0]["high"], 100.0);

  ASSERT_TRUE(write_file(scratch / "bad.csv", "obs:x,act:heat[0,100],reward\n1,500,-1\n"));
  const Answer refused = lab("dataset show " + (scratch / "bad.csv").string(), true);
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.output.find("line 2: heat = 500"), std::string::npos) << refused.output;
}

// Random swinging returns about -1200 an episode; what IQL makes of it is better, the same twice and after a stop.
TEST(DatasetCommands, a_policy_learns_from_what_was_recorded) {
  const Scratch scratch;
  const std::string data = (scratch / "random.dataset").string();
  const Answer recorded = lab("dataset record --environment pendulum --episodes 50 --out " + data + " --json");
  ASSERT_EQ(recorded.status, 0);
  EXPECT_EQ(recorded.json()["transitions"], 50 * 200);
  const std::string what =
      "policy train --environment pendulum --algorithm iql --threads 1 --json --steps 4000 --hyper hidden=32x32 "
      "--hyper batch_size=128 --hyper gamma=0.95 --hyper beta=1 --hyper expectile=0.9 --hyper learning_rate_actor=1e-3 "
      "--hyper learning_rate_critic=1e-3 --dataset " +
      data;
  const Answer trained = lab(what + " --out " + (scratch / "1" / "policy").string());
  ASSERT_EQ(trained.status, 0) << trained.output;
  EXPECT_EQ(trained.json()["updates"], 4000);
  EXPECT_GT(trained.json()["best_evaluation_return"].get<double>(),
            recorded.json()["return"]["mean"].get<double>() + 200.0);
  ASSERT_EQ(lab(what + " --out " + (scratch / "2" / "policy").string()).status, 0);
  EXPECT_TRUE(*read_file(scratch / "1" / "policy" / "policy.onnx") ==
              *read_file(scratch / "2" / "policy" / "policy.onnx"));
}

TEST(DatasetCommands, data_and_algorithm_must_fit) {
  const Scratch scratch;
  const std::string data = (scratch / "cartpole.dataset").string();
  ASSERT_EQ(lab("dataset record --environment cartpole --episodes 5 --out " + data + " --json").status, 0);
  const auto refusal = [&](const std::string& what) {
    const Answer answer = lab("policy train --out " + (scratch / "run").string() + " " + what, true);
    EXPECT_NE(answer.status, 0) << what;
    return answer.output;
  };
  EXPECT_NE(refusal("--environment cartpole --algorithm bc").find("give --dataset"), std::string::npos);
  EXPECT_NE(refusal("--environment cartpole --algorithm ppo --dataset " + data).find("learns by acting"),
            std::string::npos);
  EXPECT_NE(refusal("--environment pendulum --algorithm bc --dataset " + data).find("the data's actions are one of 2"),
            std::string::npos);
}

}  // namespace
}  // namespace rltune::lab
