// A process that takes and forwards, killed at random moments again and again, to a receiver that misbehaves: at the
// end every acknowledged record is there, once after its id, and no batch was ever sent in another cut.
// RLTUNE_KILLS=1000 for many, RLTUNE_SEED for others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "memory_source.hpp"
#include "receiver_process.hpp"
#include "rltune/base/random.hpp"
#include "rltune/forward/batch.hpp"
#include "temporary_folder.hpp"

namespace rltune::forward {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using rltune::testing::ChildProcess;
using rltune::testing::ReceiverProcess;

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::stoull(text);
}

TEST(KilledForwarder, everything_acknowledged_arrives_once_after_ids_in_batches_that_never_change) {
  const std::uint64_t kills = number_of("RLTUNE_KILLS", 12), seed = number_of("RLTUNE_SEED", 1);
  SCOPED_TRACE("RLTUNE_SEED=" + std::to_string(seed));
  TemporaryFolder folder;
  ASSERT_TRUE(rltune::testing::make_certificates(folder.path()));
  ReceiverProcess receiver(folder.path(), {"--seed", std::to_string(seed)});
  const auto command = [&](std::uint64_t records) {
    return std::vector<std::string>{RLTUNE_BIN_DIR "/forward_worker", folder.path().string(), receiver.url(),
                                    std::to_string(records)};
  };
  Random random(seed);
  for (std::uint64_t kill = 0; kill < kills; ++kill) {
    ChildProcess worker(command(1'000'000));
    ASSERT_TRUE(worker.read_line(20s)) << "it did not start after " << kill << " kills";
    ASSERT_FALSE(worker.wait(std::chrono::milliseconds(random.below(60))));
    worker.signal(SIGKILL);
    worker.wait(10s);
  }
  // The last one takes no more than there is, and brings all of it.
  ChildProcess last(command(1));
  ASSERT_EQ(last.read_line(20s), "goes");
  const auto line = last.read_line(120s);
  ASSERT_TRUE(line) << "it did not bring everything";
  const std::uint64_t acknowledged = std::stoull(*line);

  const json report = receiver.report();
  EXPECT_EQ(report["faults"], json::array());
  EXPECT_GT(acknowledged, 100U);
  EXPECT_EQ(report["records"].size(), acknowledged);
  for (std::uint64_t sequence = 1; sequence <= acknowledged; ++sequence)
    ASSERT_TRUE(report["records"].contains(record_id(kBuffer, "logs", sequence))) << sequence;
  std::map<std::uint64_t, std::uint64_t> last_of;
  std::uint64_t again = 0;
  for (const auto& [id, batch] : report["batches"].items()) {
    EXPECT_TRUE(last_of.emplace(batch[0], batch[1]).second) << id;
    again += batch[2].get<std::uint64_t>() - 1;
  }
  std::uint64_t before = 0;
  for (const auto& [first, end] : last_of) {
    ASSERT_EQ(first, before + 1);
    before = end;
  }
  EXPECT_EQ(before, acknowledged);
  RecordProperty("records", static_cast<int>(acknowledged));
  RecordProperty("batches_again", static_cast<int>(again));
}

}  // namespace
}  // namespace rltune::forward
