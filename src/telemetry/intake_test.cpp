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
          const std::string text = std::format("{} {}", sender, i);
          Payloads payloads;
          for (int k = 0; k < 1 + i % 3; ++k) payloads.add(text);
          const auto done = intake.commit(payloads);
          ASSERT_TRUE(done) << done.error().message;
          ASSERT_EQ(done->count(), payloads.size());
          const auto stored = intake.read(done->first, 1);
          ASSERT_TRUE(stored);
          ASSERT_EQ(stored->records.at(0).payload, text);
          const std::scoped_lock lock(mutex);
          for (std::uint64_t number = done->first; number <= done->last; ++number)
            ASSERT_TRUE(numbers.insert(number).second);
        }
      });
  }
  const Intake::Status counts = intake.status();
  EXPECT_EQ(counts.records, numbers.size());
  EXPECT_EQ(numbers.size(), *numbers.rbegin());
  EXPECT_EQ(counts.refused, 0U);
}

TEST(Intake, what_waits_for_a_sync_is_committed_together) {
  SimulatedDisk disk(1);
  Gate gate;
  gate.let_go(2);  // the watermarks of opening
  Intake intake(*Buffer::open(gate.around(disk.storage()), kWallClock, {.free_bytes_min = 0}));
  std::counting_semaphore<> answered(0);
  const auto submit = [&](std::string text) {
    ASSERT_TRUE(intake.submit({std::move(text)}, [&](const auto& done) {
      EXPECT_TRUE(done);
      answered.release();
    }));
  };
  gate.wait_for_one();
  gate.wait_for_one();
  submit("first");
  gate.wait_for_one();
  for (int i = 0; i < 20; ++i) submit(std::format("{}", i));
  gate.let_go(1000);
  for (int i = 0; i < 21; ++i) answered.acquire();
  EXPECT_LE(intake.status().commits, 2U);
}

TEST(Intake, more_than_may_wait_is_refused_at_once_and_counted) {
  SimulatedDisk disk(1);
  Gate gate;
  gate.let_go(2);
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
  EXPECT_EQ(intake.status().refused, 1U);
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

// Waits for what another thread does, at most ten seconds.
bool comes_true(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST(Intake, retention_tells_what_it_removed_and_what_of_it_nobody_had_taken) {
  const TemporaryFolder folder;
  std::mutex mutex;
  std::vector<Removed> told;
  const IntakeOptions options{.on_removed = [&](const Removed& removed) {
    const std::scoped_lock lock(mutex);
    told.push_back(removed);
  }};
  auto open = [&] { return *Buffer::open(*open_folder(folder.path()), kWallClock, {.segment_bytes = 1000}); };
  std::uint64_t unsent = 0;
  {
    Intake intake(open(), options);
    const std::string text(100, 'x');
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(intake.commit({text}));
    intake.retain({.bytes_max = 5000, .taken = [] { return 10; }});
    ASSERT_TRUE(comes_true([&] { return intake.status().disk_bytes <= 5000; }));
    intake.retain({.bytes_max = 3000, .taken = [] { return 1000; }});
    ASSERT_TRUE(comes_true([&] { return intake.status().disk_bytes <= 3000; }));
    const auto status = intake.status();
    unsent = status.unsent;
    EXPECT_EQ(status.removed, status.floor - 1);
    EXPECT_EQ(status.acknowledged, 100U);
  }
  std::uint64_t all = 0, counted = 0, next = 1;
  for (const Removed& removed : told) {
    EXPECT_EQ(removed.all.first, next);
    next = removed.all.last + 1;
    all += removed.all.count();
    if (removed.unsent) counted += removed.unsent->count();
  }
  EXPECT_GT(told.size(), 3U) << "a segment at a time";
  EXPECT_EQ(counted, unsent);
  EXPECT_GT(unsent, 10U);
  EXPECT_LT(unsent, all - 10) << "what the second call let go was taken";
  EXPECT_EQ(Intake(open(), {}).status().unsent, unsent) << "after a restart as well";
}

TEST(Intake, is_writable_again_when_the_disk_is_although_nobody_sends) {
  SimulatedDisk disk(1);
  Intake intake(*Buffer::open(disk.storage(), kWallClock, {.free_bytes_min = 0}),
                {.upkeep_every = std::chrono::milliseconds(1)});
  EXPECT_TRUE(intake.writable());
  disk.fail_with(1.0, 0.0);
  EXPECT_TRUE(comes_true([&] { return !intake.writable(); })) << "it is tried when nobody sends";
  EXPECT_EQ(intake.writable().error().code, Errc::io);
  disk.fail_with(0.0, 0.0);
  EXPECT_TRUE(comes_true([&] { return intake.writable().has_value(); }));
}

TEST(Intake, warns_of_a_disk_before_it_refuses) {
  SimulatedDisk disk(1);
  const std::uint64_t free = disk.storage()->free_bytes();
  const auto open = [&](std::uint64_t min) {
    return *Buffer::open(disk.storage(), kWallClock, {.free_bytes_min = min});
  };
  {
    Intake roomy(open(free / 2), {});
    EXPECT_FALSE(roomy.status().low_disk);
  }
  {
    Intake low(open(free / 2 + 1), {});
    EXPECT_TRUE(low.status().low_disk);
    EXPECT_TRUE(low.commit({"still taken"}));
    EXPECT_TRUE(low.writable());
  }
  Intake full(open(free + 1), {});
  EXPECT_EQ(full.writable().error().code, Errc::no_space);
  EXPECT_EQ(full.commit({"refused"}).error().code, Errc::no_space);
  EXPECT_EQ(full.status().refused, 1U);
}

TEST(Intake, tells_of_each_commit) {
  SimulatedDisk disk(1);
  std::vector<Commit> told;
  {
    Intake intake(*Buffer::open(disk.storage(), kWallClock, {.free_bytes_min = 0}),
                  {.on_commit = [&](const Commit& commit) { told.push_back(commit); }});
    ASSERT_TRUE(intake.commit({"four", "five5"}));
  }
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].records, 2U);
  EXPECT_EQ(told[0].bytes, 9U);
  EXPECT_TRUE(told[0].is_durable);
}

}  // namespace
}  // namespace rltune::telemetry
