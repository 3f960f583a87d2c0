// Our certificate ends, or the server's does: the loop that reads and writes through the link hardly notices. Real
// servers; the control loop is a thread that writes and looks at what it reads once a period.
#include <thread>

#include "opcua_fixture.hpp"

namespace rltune::plant {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;
using ::testing::HasSubstr;

constexpr auto kPeriod = 500ms;

// Reads and writes once a period, as io does. A period is missed where its write was not confirmed, or no good value
// came in it.
class ControlPeriods {
 public:
  explicit ControlPeriods(PlantLink& link) : link_(link), thread_([this] { run(); }) {}
  ~ControlPeriods() { stop(); }
  void stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int missed() const { return missed_; }
  int counted() const { return counted_; }
  int bad() const { return bad_; }

 private:
  void run() {
    for (auto next = SteadyClock::now(); !stop_; ++counted_) {
      next += kPeriod;
      std::array<WriteOutcome, 1> outcome;
      const bool written = link_.write(std::array{0u}, std::array{double(counted_)}, outcome) && outcome[0].verified;
      if (!written | !heard(next, counted_)) ++missed_;
    }
  }
  // What was written comes back as a value.
  bool heard(SteadyClock::time_point until, double value) {
    bool found = false;
    std::array<Sample, 64> samples;
    for (auto now = SteadyClock::now(); now < until; now = SteadyClock::now()) {
      const auto count = link_.poll(samples, std::chrono::ceil<std::chrono::milliseconds>(until - now));
      for (std::size_t i = 0; i < count; ++i) {
        found = found || samples[i].value == value;
        if (samples[i].quality == Quality::bad) ++bad_;
      }
    }
    return found;
  }

  PlantLink& link_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> missed_ = 0, counted_ = 0, bad_ = 0;
  std::thread thread_;
};

class OpcuaRenewalTest : public OpcuaFixture {
 protected:
  OpcuaRenewalTest() {
    options_.renewal_look = 50ms;
    options_.inactivity_timeout = time_limit(5s);  // a machine that stands still is not what this is about
  }
  std::filesystem::path own(const char* name) const { return options_.pki / "own" / name; }
  std::string bytes(const char* name) const { return read_file(own(name)).value_or(""); }
  // Ours ends in so many days.
  void end_in(int days_left) {
    const auto from = WallClock().now() - std::chrono::days(30 - days_left);
    ours_ = make(kClientUri, from);
    ASSERT_TRUE(write_secret_file(own("key.der"), ours_.key));
    ASSERT_TRUE(write_file(own("cert.der"), ours_.certificate));
    ASSERT_TRUE(server_pki_->trust_der(ours_.certificate));
  }
  template <typename Condition>
  static bool comes_true(Condition condition, std::chrono::milliseconds patience = 10s) {
    for (const auto until = SteadyClock::now() + patience; SteadyClock::now() < until;) {
      if (condition()) return true;
      std::this_thread::sleep_for(5ms);
    }
    return condition();
  }
  static bool count_to(const ControlPeriods& periods, int more) {
    const int from = periods.counted();
    return comes_true([&] { return periods.counted() >= from + more; });
  }
  void trust_next() { ASSERT_TRUE(server_pki_->trust(own("next.der"))); }

  Identity ours_;
};

TEST_F(OpcuaRenewalTest, our_own_is_renewed_once_the_server_trusts_the_next_and_no_period_is_missed) {
  end_in(5);
  serve();
  OpcuaLink link(options_);
  ASSERT_TRUE(link.open(std::vector{tag("Double", true), tag("Temperature")}));
  ControlPeriods periods(link);
  ASSERT_TRUE(comes_true([&] { return std::filesystem::exists(own("next.der")); }));
  const std::string next = bytes("next.der");
  ASSERT_TRUE(count_to(periods, 3)) << "refused again and again, and nobody notices";
  EXPECT_EQ(link.status().renewals, 0u);
  EXPECT_EQ(bytes("cert.der"), ours_.certificate) << "in use until then";
  trust_next();
  ASSERT_TRUE(comes_true([&] { return link.status().renewals == 1; }));
  EXPECT_EQ(bytes("cert.der"), next);
  EXPECT_EQ(bytes("previous.der"), ours_.certificate);
  // The new session is the one that is used: the server takes the old certificate no more.
  for (const auto& file : std::filesystem::directory_iterator(server_options_.pki / "trusted"))
    if (read_file(file.path()).value_or("") != next) std::filesystem::remove(file.path());
  ASSERT_TRUE(count_to(periods, 3));
  periods.stop();
  RecordProperty("periods", periods.counted());
  RecordProperty("missed", periods.missed());
  EXPECT_LE(periods.missed(), 1);
  EXPECT_EQ(periods.bad(), 0);
  EXPECT_EQ(link.status().reconnects, 0u);
  EXPECT_GT(read_certificate(bytes("cert.der"))->not_after, WallClock().now() + std::chrono::days(365));
}

TEST_F(OpcuaRenewalTest, a_pair_that_an_operator_puts_there_is_taken_up_without_a_restart) {
  serve();
  OpcuaLink link(options_);
  ASSERT_TRUE(link.open(std::vector{tag("Double", true)}));
  ControlPeriods periods(link);
  // As the next one, the certificate first.
  const Identity first = make(kClientUri);
  ASSERT_TRUE(server_pki_->trust_der(first.certificate));
  ASSERT_TRUE(write_file(own("next.der"), first.certificate));
  ASSERT_TRUE(count_to(periods, 2));
  EXPECT_EQ(link.status().renewals, 0u);
  ASSERT_TRUE(write_secret_file(own("next.key.der"), first.key));
  ASSERT_TRUE(comes_true([&] { return link.status().renewals == 1; }));
  EXPECT_EQ(bytes("cert.der"), first.certificate);
  // Over ours.
  const Identity second = make(kClientUri);
  ASSERT_TRUE(server_pki_->trust_der(second.certificate));
  ASSERT_TRUE(write_secret_file(own("key.der"), second.key));
  ASSERT_TRUE(write_file(own("cert.der"), second.certificate));
  ASSERT_TRUE(comes_true([&] { return link.status().renewals == 2; }));
  ASSERT_TRUE(count_to(periods, 2));
  periods.stop();
  EXPECT_LE(periods.missed(), 1);
  EXPECT_EQ(link.status().reconnects, 0u);
}

TEST_F(OpcuaRenewalTest, a_server_with_room_for_one_session_costs_a_period_at_most) {
  end_in(5);
  server_options_.sessions_max = 1;
  serve();
  OpcuaLink link(options_);
  ASSERT_TRUE(link.open(std::vector{tag("Double", true)}));
  ControlPeriods periods(link);
  ASSERT_TRUE(comes_true([&] { return std::filesystem::exists(own("next.der")); }));
  trust_next();
  ASSERT_TRUE(comes_true([&] { return link.status().renewals == 1; }));
  ASSERT_TRUE(count_to(periods, 3));
  periods.stop();
  RecordProperty("missed", periods.missed());
  EXPECT_LE(periods.missed(), 1);
}

TEST_F(OpcuaRenewalTest, where_ours_has_ended_already_the_next_is_made_and_connects_once_it_is_trusted) {
  end_in(-1);
  serve();
  // As io does, again and again: the next one is made beside the attempt, which may be over sooner.
  ASSERT_TRUE(comes_true([&] {
    EXPECT_THAT(refusal({tag("Double")}).message, HasSubstr("expired"));
    return std::filesystem::exists(own("next.der"));
  }));
  trust_next();
  OpcuaLink link(options_);
  const auto opened = link.open(std::vector{tag("Double", true)});
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE(wait_for(link, 0, [](const Sample& s) { return s.quality == Quality::good; }));
  EXPECT_FALSE(std::filesystem::exists(own("next.der")));
}

TEST_F(OpcuaRenewalTest, values_told_by_both_sessions_are_told_once_and_in_order) {
  end_in(5);
  serve();
  OpcuaLink link(options_);
  ASSERT_TRUE(link.open(std::vector{tag("Double")}));
  ASSERT_TRUE(comes_true([&] { return std::filesystem::exists(own("next.der")); }));
  std::atomic<bool> stop = false;
  std::thread plant([&] {
    for (double value = 1.0; !stop; value += 1.0) {
      server_->set("Double", value);
      std::this_thread::sleep_for(5ms);
    }
  });
  double newest = 0.0;
  TimePoint newest_time{};
  bool in_order = true;
  int after = 0;
  std::array<Sample, 64> samples;
  trust_next();
  for (const auto until = SteadyClock::now() + 15s; after < 50 && SteadyClock::now() < until;) {
    const auto count = link.poll(samples, 20ms);
    for (std::size_t i = 0; i < count; ++i) {
      in_order = in_order && samples[i].value >= newest && samples[i].source_time >= newest_time;
      newest = samples[i].value;
      newest_time = samples[i].source_time;
      if (link.status().renewals == 1) ++after;
    }
  }
  stop = true;
  plant.join();
  EXPECT_EQ(after >= 50, true);
  EXPECT_TRUE(in_order);
}

TEST_F(OpcuaRenewalTest, the_servers_new_certificate_is_taken_up_without_a_restart) {
  serve();
  OpcuaLink link(options_);
  ASSERT_TRUE(link.open(std::vector{tag("Double", true)}));
  ControlPeriods periods(link);
  ASSERT_TRUE(count_to(periods, 2));
  const Identity renewed = make(server_options_.application_uri);
  ASSERT_TRUE(client_pki_->trust_der(renewed.certificate));  // before the server shows it
  server_->renew(renewed);
  ASSERT_TRUE(comes_true([&] { return link.status().reconnects == 1; }));
  ASSERT_TRUE(count_to(periods, 3));
  periods.stop();
  RecordProperty("missed", periods.missed());
  EXPECT_LE(periods.missed(), 1);
}

}  // namespace
}  // namespace rltune::plant
