#include "rltune/telemetry/intake.hpp"

#include <gtest/gtest.h>

#include <format>
#include <semaphore>
#include <set>
#include <thread>

#include "simulated_disk.hpp"
#include "temporary_folder.hpp"

namespace rltune::telemetry {
namespace {

const WallClock kWallClock;

// A disk that waits before each sync of a file until it is let go.
class Gate {
 public:
  std::unique_ptr<Storage> around(std::unique_ptr<Storage> storage) {
    return std::make_unique<Folder>(*this, std::move(storage));
  }
  void let_go(int syncs) { allowed_.release(syncs); }
  // Until somebody waits for a sync.
  void wait_for_one() { waiting_.acquire(); }

 private:
  class File final : public StoredFile {
   public:
    File(Gate& gate, std::unique_ptr<StoredFile> file) : gate_(gate), file_(std::move(file)) {}
    Result<> write(std::uint64_t offset, std::string_view bytes) override { return file_->write(offset, bytes); }
    Result<> sync() override {
      gate_.waiting_.release();
      gate_.allowed_.acquire();
      return file_->sync();
    }
    Result<std::size_t> read(std::uint64_t offset, std::span<char> into) override { return file_->read(offset, into); }
    Result<std::uint64_t> size() override { return file_->size(); }

   private:
    Gate& gate_;
    std::unique_ptr<StoredFile> file_;
  };
  class Folder final : public Storage {
   public:
    Folder(Gate& gate, std::unique_ptr<Storage> storage) : gate_(gate), storage_(std::move(storage)) {}
    Result<std::unique_ptr<StoredFile>> create(const std::string& name) override {
      return wrapped(storage_->create(name));
    }
    Result<std::unique_ptr<StoredFile>> open(const std::string& name) override { return wrapped(storage_->open(name)); }
    Result<> remove(const std::string& name) override { return storage_->remove(name); }
    Result<std::vector<std::string>> list() override { return storage_->list(); }
    Result<> sync() override { return storage_->sync(); }
    std::uint64_t free_bytes() override { return storage_->free_bytes(); }

   private:
    Result<std::unique_ptr<StoredFile>> wrapped(Result<std::unique_ptr<StoredFile>> file) {
      if (!file) return file;
      return std::make_unique<File>(gate_, std::move(*file));
    }
    Gate& gate_;
    std::unique_ptr<Storage> storage_;
  };
  std::counting_semaphore<> allowed_{0}, waiting_{0};
};

TEST(Intake, every_sender_of_many_hears_of_its_own_records) {
  constexpr int kSenders = 8, kEach = 100;
  const TemporaryFolder folder;
  Intake intake(*Buffer::open(*open_folder(folder.path()), kWallClock, {}));
  std::mutex mutex;
  std::set<std::uint64_t> numbers;
  {
    std::vector<std::jthread> senders;
    for (int sender = 0; sender < kSenders; ++sender)
      senders.emplace_back([&, sender] {
        for (int i = 0; i < kEach; ++i) {
          std::vector<std::string> texts(1 + static_cast<std::size_t>(i % 3), std::format("{} {}", sender, i));
          const auto done = intake.commit(texts);
          ASSERT_TRUE(done) << done.error().message;
          ASSERT_EQ(done->count(), texts.size());
          const auto stored = intake.read(done->first, 1);
          ASSERT_TRUE(stored);
          ASSERT_EQ(stored->records.at(0).payload, texts[0]);
          const std::scoped_lock lock(mutex);
          for (std::uint64_t number = done->first; number <= done->last; ++number)
            ASSERT_TRUE(numbers.insert(number).second);
        }
      });
  }
  const Intake::Counts counts = intake.counts();
  EXPECT_EQ(counts.records, numbers.size());
  EXPECT_EQ(numbers.size(), *numbers.rbegin());
  EXPECT_EQ(counts.refused, 0U);
}

TEST(Intake, what_waits_for_a_sync_is_committed_together) {
  SimulatedDisk disk(1);
  Gate gate;
  gate.let_go(1);  // the watermark of opening
  Intake intake(*Buffer::open(gate.around(disk.storage()), kWallClock, {.free_bytes_min = 0}));
  std::counting_semaphore<> answered(0);
  const auto submit = [&](std::string text) {
    ASSERT_TRUE(intake.submit({std::move(text)}, [&](const auto& done) {
      EXPECT_TRUE(done);
      answered.release();
    }));
  };
  gate.wait_for_one();
  submit("first");
  gate.wait_for_one();
  for (int i = 0; i < 20; ++i) submit(std::format("{}", i));
  gate.let_go(1000);
  for (int i = 0; i < 21; ++i) answered.acquire();
  while (intake.counts().records < 21) std::this_thread::yield();
  EXPECT_LE(intake.counts().commits, 2U);
}

TEST(Intake, more_than_may_wait_is_refused_at_once_and_counted) {
  SimulatedDisk disk(1);
  Gate gate;
  gate.let_go(1);
  Intake intake(*Buffer::open(gate.around(disk.storage()), kWallClock, {.free_bytes_min = 0}),
                {.waiting_bytes_max = 100});
  std::counting_semaphore<> answered(0);
  const auto done = [&](const Result<SequenceRange>& result) {
    EXPECT_TRUE(result);
    answered.release();
  };
  ASSERT_TRUE(intake.submit({std::string(60, 'x')}, done));
  const auto refused = intake.submit({std::string(60, 'x')}, done);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::no_space);
  ASSERT_TRUE(intake.submit({std::string(40, 'x')}, done));
  gate.let_go(1000);
  answered.acquire();
  answered.acquire();
  EXPECT_EQ(intake.counts().refused, 1U);
}

TEST(Intake, a_disk_that_fails_is_told_to_every_sender) {
  SimulatedDisk disk(1);
  Intake intake(*Buffer::open(disk.storage(), kWallClock, {.free_bytes_min = 0}));
  disk.fail_with(1.0, 0.0);
  EXPECT_FALSE(intake.commit({"lost"}));
  EXPECT_FALSE(intake.commit({"lost as well"}));
  disk.fail_with(0.0, 0.0);
  const auto done = intake.commit({"kept"});
  ASSERT_TRUE(done);
  EXPECT_EQ(intake.read(1, 1)->records.at(0).payload, "kept");
}

}  // namespace
}  // namespace rltune::telemetry
