// Lockstep: the closed loop over encrypted OPC UA returns what `rltune policy evaluate` returns, also when the
// agent, io or the twin is killed on the way.
#include "pilot_site.hpp"
#include "rltune/config/site.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using testing::ChildProcess;
using testing::PilotSite;

constexpr const char* kStart = "2014-02-09";

// What `policy evaluate` says of the site's policy over the first days of the season.
double evaluated_return(const PilotSite& site, int days) {
  ChildProcess evaluate(
      {std::string(RLTUNE_BIN_DIR) + "/rltune", "policy", "evaluate", "--plant", "lettuce", "--controller",
       site.path("site/policy"), "--start", kStart, "--days", std::to_string(days), "--weather-seed", "1", "--json"},
      site.path("evaluate.log"));
  std::string json;
  while (const auto line = evaluate.read_line(120s)) json += *line;
  EXPECT_FALSE(json.empty()) << read_file(site.path("evaluate.log")).value_or("");
  return json.empty() ? std::nan("") : nlohmann::json::parse(json)["return"].get<double>();
}

testing::PilotOptions lockstep(int days) {
  return {.days = days,
          .twin_arguments = {"--start", kStart, "--weather-seed", "1", "--days", std::to_string(days),
                             "--forecast-leads", "0"}};
}

bool season_over(PilotSite& site, int days) {
  return PilotSite::eventually([&] { return site.value("clock_step") >= 48.0 * days; }, 120s);
}

TEST(ClosedLoop, a_whole_season_returns_what_the_evaluation_returns) {
  PilotSite site(lockstep(40));
  ASSERT_NO_FATAL_FAILURE(site.start());
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(season_over(site, 40)) << site.everything();
  std::printf("a season in closed loop: %.1f s\n",
              std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  EXPECT_NEAR(site.value("season_return"), evaluated_return(site, 40), 1e-6) << site.everything();
  const auto status = site.io_status();
  ASSERT_TRUE(status);
  // Three outputs a step, and whatever was decided after the harvest; no rule had to interfere.
  EXPECT_GE(status->verdicts().at("accepted"), 3U * 1920U);
  EXPECT_EQ(status->verdicts().size(), 1U);
}

TEST(ClosedLoop, a_killed_agent_costs_time_and_nothing_else) {
  PilotSite site(lockstep(10));
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(PilotSite::eventually([&] { return site.value("clock_step") >= 100.0; }, 60s)) << site.everything();
  ::kill(site.role("agent.climate").pid(), SIGKILL);
  ASSERT_TRUE(season_over(site, 10)) << site.everything();
  // Within io's patience for a step the successor decides it: the same policy on the same values.
  EXPECT_NEAR(site.value("season_return"), evaluated_return(site, 10), 1e-6) << site.everything();
}

// io dies wherever it happens to be: between two steps, with a proposal in hand, with set-points on their way. A plant
// that hangs meanwhile makes it wait there, and what io had sent reaches the plant after io's end. More kills in a row
// would keep io away until the plant sheds.
TEST(ClosedLoop, io_killed_again_and_again_costs_time_and_nothing_else) {
  constexpr int kSeason = 40, kKills = 5;
  PilotSite site(lockstep(kSeason));
  ASSERT_NO_FATAL_FAILURE(site.start());
  Random random(1);
  for (int kill = 0; kill < kKills; ++kill) {
    const double now = site.value("clock_step"),
                 until = (std::isfinite(now) ? now : 0.0) + 20.0 + random.uniform(0.0, 80.0);
    ASSERT_TRUE(PilotSite::eventually([&] { return site.value("clock_step") >= until; }, 60s)) << site.everything();
    const pid_t io = site.role("io").pid();
    ASSERT_GT(io, 0);
    site.twin().signal(SIGSTOP);
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(random.uniform(0.0, 20.0)));
    ::kill(io, SIGKILL);
    site.twin().signal(SIGCONT);
    ASSERT_TRUE(PilotSite::eventually([&] { return site.role("io").pid() != io && site.decisions() > 0; }, 60s))
        << site.everything();
  }
  ASSERT_TRUE(season_over(site, kSeason)) << site.everything();
  EXPECT_NEAR(site.value("season_return"), evaluated_return(site, kSeason), 1e-6) << site.everything();
}

// Plays io for a real agent, so that it can fail at the worst moments.
class FailingIo {
 public:
  FailingIo(bus::Context& context, const PilotSite& pilot)
      : site_(*config::load_site(pilot.site_file())),
        server_(*bus::Server::bind(bus::call_endpoint(pilot.run_folder(), "io"))),
        stream_(*bus::Publisher::bind(context, bus::event_endpoint(pilot.run_folder(), "io"))) {
    server_.handle<v1::AttachRequest, v1::AttachAnswer>(
        "io.Attach", [this](const bus::Call&, const v1::AttachRequest&, v1::AttachAnswer& answer) -> Result<> {
          fill(*answer.mutable_latest());
          ++attached_;
          return {};
        });
    server_.handle<v1::Proposal, v1::DecisionEvent>(
        "io.Propose", [this](const bus::Call&, const v1::Proposal& proposal, v1::DecisionEvent&) -> Result<> {
          proposals_.push_back(proposal);
          set_points_ = {proposal.values().begin(), proposal.values().end()};
          if (proposals_.size() == 1 && lose_first) return fail(Errc::disconnected, "killed");
          ++step_;
          return {};
        });
  }

  bool lose_first = false;  // the plant has the set-points, the agent has no answer
  bool complete = true;     // what attaching says of the step
  int attached() const { return attached_; }
  bool serve_until(const std::function<bool()>& done) {
    for (int turn = 0; turn < 1000 && !done(); ++turn) server_.serve(20ms);
    return done();
  }
  // The end of a step whose beginning the agent did not get.
  void publish_end_of_step() {
    v1::SampleBatch batch;
    fill(batch);
    batch.clear_samples();
    batch.set_sequence(sequence_ += 2);
    batch.set_complete(true);
    stream_.publish("samples", batch);
  }

  std::vector<v1::Proposal> proposals(std::size_t count) {
    serve_until([&] { return proposals_.size() >= count; });
    return proposals_;
  }

 private:
  void fill(v1::SampleBatch& batch) {
    const TimePoint now = TimePoint(std::chrono::days(16'000)) + step_ * 1800s;
    const auto& outputs = site_.agents.front().outputs;
    for (std::size_t tag = 0; tag < site_.tags.size(); ++tag)
      for (std::size_t element = 0; element < site_.tags[tag].elements; ++element) {
        v1::Sample& sample = *batch.add_samples();
        const auto output = std::ranges::find(outputs, site_.tags[tag].name) - outputs.begin();
        sample.set_tag(static_cast<std::uint32_t>(tag));
        sample.set_element(static_cast<std::uint32_t>(element));
        sample.set_value(static_cast<std::size_t>(output) < set_points_.size()
                             ? set_points_[static_cast<std::size_t>(output)]
                             : 1.0);
        sample.set_source_unix_ns(now.time_since_epoch().count());
        sample.set_received_unix_ns(now.time_since_epoch().count());
      }
    batch.set_now_unix_ns(now.time_since_epoch().count());
    batch.set_sequence(sequence_);
    batch.set_complete(complete);
  }

  config::Site site_;
  bus::Server server_;
  bus::Publisher stream_;
  std::vector<double> set_points_;
  std::vector<v1::Proposal> proposals_;
  int step_ = 0, attached_ = 0;
  std::uint64_t sequence_ = 0;
};

std::unique_ptr<ChildProcess> start_agent(const PilotSite& site) {
  return std::make_unique<ChildProcess>(
      std::vector<std::string>{std::string(RLTUNE_BIN_DIR) + "/rltune-agent", "--site", site.site_file(), "--agent",
                               "climate", "--run-folder", site.run_folder()},
      site.path("agent.log"));
}

TEST(ClosedLoop, an_agent_asked_again_for_a_step_gives_the_same_answer) {
  PilotSite site(lockstep(10));
  ASSERT_NO_FATAL_FAILURE(site.start_twin());
  ASSERT_NO_FATAL_FAILURE(site.write_site());
  bus::Context context;
  FailingIo io(context, site);
  io.lose_first = true;
  const auto agent = start_agent(site);
  const auto proposals = io.proposals(3);
  ASSERT_EQ(proposals.size(), 3U) << read_file(site.path("agent.log")).value_or("");
  const v1::Proposal &first = proposals[0], &again = proposals[1], &next = proposals[2];
  const auto same = [](const auto& left, const auto& right) { return std::ranges::equal(left, right); };
  ASSERT_EQ(first.outcome(), 0U) << read_file(site.path("agent.log")).value_or("");
  EXPECT_EQ(again.time_unix_ns(), first.time_unix_ns());
  EXPECT_TRUE(same(again.values(), first.values()));
  EXPECT_TRUE(same(again.observation(), first.observation()));
  EXPECT_TRUE(same(again.previous_inputs(), first.previous_inputs()));
  // The next step is decided from the set-points that the plant now has.
  EXPECT_GT(next.time_unix_ns(), first.time_unix_ns());
  EXPECT_FALSE(same(next.previous_inputs(), first.previous_inputs()));
}

TEST(ClosedLoop, an_agent_that_missed_samples_of_a_step_asks_for_them_before_it_decides) {
  PilotSite site(lockstep(10));
  ASSERT_NO_FATAL_FAILURE(site.start_twin());
  ASSERT_NO_FATAL_FAILURE(site.write_site());
  bus::Context context;
  FailingIo io(context, site);
  io.complete = false;
  const auto agent = start_agent(site);
  ASSERT_TRUE(io.serve_until([&] { return io.attached() == 1; })) << read_file(site.path("agent.log")).value_or("");
  io.complete = true;
  // Again and again, since the first ones may come before it listens; none after it asked, which it would ask about
  // too.
  const auto asked = [&] {
    if (io.attached() > 1) return true;
    io.publish_end_of_step();
    return false;
  };
  ASSERT_TRUE(io.serve_until(asked));
  EXPECT_EQ(io.proposals(1).size(), 1U);
}

TEST(ClosedLoop, a_twin_killed_and_back_costs_time_and_nothing_else) {
  PilotSite site(lockstep(10));
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(PilotSite::eventually([&] { return site.value("clock_step") >= 100.0; }, 60s)) << site.everything();
  site.twin().signal(SIGKILL);
  site.twin().wait(5s);
  ASSERT_NO_FATAL_FAILURE(site.start_twin());
  ASSERT_TRUE(season_over(site, 10)) << site.everything();
  EXPECT_NEAR(site.value("season_return"), evaluated_return(site, 10), 1e-6) << site.everything();
}

}  // namespace
}  // namespace rltune
