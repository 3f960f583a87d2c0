#include "rltune/reading/reading_thread.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <latch>
#include <thread>

#include "scratch_folder.hpp"
#include "serving.hpp"

namespace rltune::reading {
namespace {

using namespace std::chrono_literals;

class ReadingThreadTest : public ::testing::Test {
 protected:
  bus::Client client(const std::string& role) {
    auto connected = bus::Client::connect(bus::call_endpoint(folder(), role));
    EXPECT_TRUE(connected);
    return std::move(*connected);
  }
  std::string folder() const { return scratch_.path().string(); }

  historian::ScratchFolder scratch_;
};

TEST_F(ReadingThreadTest, a_question_that_takes_for_ever_holds_up_whoever_asked_and_nobody_else) {
  std::latch begun(1), released(1);
  const auto reading = ReadingThread::start(folder(), "io", [&](bus::Server& server) {
    server.handle("long", [&](const bus::Call&, std::string_view, std::string& answer) -> Result<> {
      begun.count_down();
      released.wait();
      answer = "at last";
      return {};
    });
  });
  ASSERT_TRUE(reading);
  const bus::Serving loop(bus::call_endpoint(folder(), "io"), bus::serve_echo);
  bus::Client patient = client("io.records"), other = client("io");
  std::jthread asks([&] {
    const auto answered = patient.call("long", "io.records", "", 30s);
    EXPECT_EQ(answered.value_or(""), "at last");
  });
  begun.wait();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(other.call("echo", "io", "now", 10s).value_or(""), "now");
  released.count_down();
}

TEST_F(ReadingThreadTest, it_reads_behind_everybody_else_and_ends_when_it_is_told) {
  int nice = 0, ours = ::getpriority(PRIO_PROCESS, 0);
  {
    const auto reading = ReadingThread::start(folder(), "io", [&](bus::Server& server) {
      server.handle("nice", [&](const bus::Call&, std::string_view, std::string&) -> Result<> {
        nice = ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()));
        return {};
      });
    });
    ASSERT_TRUE(reading);
    ASSERT_TRUE(client("io.records").call("nice", "io.records", "", 10s));
  }
  EXPECT_EQ(nice, 10);
  EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), ours) << "whoever started it is what it was";
}

}  // namespace
}  // namespace rltune::reading
