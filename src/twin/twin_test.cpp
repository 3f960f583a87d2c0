#include "rltune/twin/twin.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "rltune/base/file.hpp"
#include "rltune/plant/opcua_link.hpp"
#include "season.hpp"
#include "test_client.hpp"

namespace rltune::twin {
namespace {

using testing::Change;
using testing::ClientOptions;
using testing::TestClient;

// A twin in a thread, its keys and a client's in a folder of their own.
class TwinTest : public ::testing::Test {
 protected:
  TwinTest() : folder_(std::filesystem::path(::testing::TempDir()) / std::format("twin_{}", ::getpid())) {
    std::filesystem::create_directories(folder_);
    options_.simulation = testing::lettuce_season();
    options_.clock = ClockMode::plant;
    options_.port = 0;
    options_.pki = folder_ / "server";
    options_.host = {"io", "a good password"};
    options_.operators = {{"dcs", "another password"}};
    options_.shed_after = Duration::zero();
    identity_ = *plant::OpcuaPki::open(folder_ / "client")
                     ->identity({.application_uri = "urn:rltune:test:client"}, WallClock().now());
    options_.trust = {folder_ / "client/own/cert.der"};
  }
  ~TwinTest() override {
    stop();
    std::filesystem::remove_all(folder_);
  }

  void serve() {
    auto twin = Twin::start(options_, clock_);
    ASSERT_TRUE(twin) << twin.error().message;
    twin_ = std::move(*twin);
    thread_ = std::thread([this] { std::ignore = twin_->run([this] { return stop_.load(); }); });
  }
  void stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    twin_.reset();
    stop_ = false;
  }
  ClientOptions client(const std::string& user = "io", const std::string& password = "a good password") const {
    return {.url = twin_->url(), .user = user, .password = password, .identity = &identity_};
  }
  // Writes `inputs`, advances, and waits for the new step to be published.
  void advance(TestClient& client, std::uint32_t to) {
    ASSERT_EQ(client.write_count("clock_advance", to), UA_STATUSCODE_GOOD);
    for (int i = 0; i < 2000 && client.read("clock_step") < to; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ASSERT_EQ(client.read("clock_step"), to);
  }

  plant::OpcuaOptions link_options() const {
    plant::OpcuaOptions options;
    options.url = twin_->url();
    options.server_application_uri = "urn:rltune:twin:lettuce";
    options.pki = folder_ / "client";
    options.user = "io";
    options.password = "a good password";
    options.application_uri = "urn:rltune:test:client";
    options.call_timeout = options.inactivity_timeout = std::chrono::seconds(20);  // for a machine that stands still
    return options;
  }

  std::filesystem::path folder_;
  TwinOptions options_;
  WallClock clock_;
  plant::Identity identity_;
  std::unique_ptr<Twin> twin_;
  std::thread thread_;
  std::atomic<bool> stop_ = false;
};

TEST_F(TwinTest, shows_the_plant_to_an_encrypted_client) {
  serve();
  TestClient client(this->client());
  ASSERT_EQ(client.connect(), UA_STATUSCODE_GOOD);
  EXPECT_EQ(client.read("air_temperature"), 15.0);
  EXPECT_EQ(client.read("heating"), 50.0);
  EXPECT_EQ(client.read("clock_step"), 0.0);
}

TEST_F(TwinTest, lockstep_over_subscriptions_returns_what_the_model_computes) {
  serve();
  TestClient client(this->client());
  ASSERT_EQ(client.connect(), UA_STATUSCODE_GOOD);
  const std::vector<std::string> names{"dry_weight", "co2", "air_temperature", "relative_humidity", "clock_step"};
  ASSERT_EQ(client.subscribe(names, 100.0, 50.0), UA_STATUSCODE_GOOD);  // revised by the server in lockstep
  const auto model = testing::make_simulation(testing::lettuce_season());
  std::vector<double> inputs(3);
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint32_t step = 0; step < 250; ++step) {
    inputs = {0.6 * (step % 3 == 0), 0.01 * (step % 200), 60.0 + 40.0 * std::sin(step)};
    for (std::size_t i = 0; i < 3; ++i)
      ASSERT_EQ(client.write_real(std::vector<std::string>{"co2_supply", "ventilation", "heating"}[i], inputs[i]),
                UA_STATUSCODE_GOOD);
    ASSERT_EQ(client.write_count("clock_advance", step + 1), UA_STATUSCODE_GOOD);
    model->step(inputs);
    std::vector<double> seen(5);
    while (seen[4] != step + 1) {
      ASSERT_EQ(client.poll(client.changes().empty() ? 100 : 0), UA_STATUSCODE_GOOD);
      while (!client.changes().empty()) {
        seen[client.changes().front().item] = client.changes().front().value;
        client.changes().pop_front();
      }
    }
    for (std::size_t i = 0; i < 4; ++i)
      ASSERT_EQ(seen[i], model->snapshot(0).measurements[i]) << names[i] << " at step " << step;
  }
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  RecordProperty("ms_per_step", std::to_string(took.count() / 250));
  std::printf("lockstep: %.2f ms a step\n", took.count() / 250);
}

TEST_F(TwinTest, lockstep_over_the_products_link_returns_what_the_model_computes) {
  serve();
  const auto pki = plant::OpcuaPki::open(folder_ / "client");
  ASSERT_TRUE(pki->trust(folder_ / "server/own/cert.der"));
  plant::OpcuaLink link(link_options());
  std::vector<plant::TagBinding> tags;
  for (const char* name : {"dry_weight", "co2", "air_temperature", "relative_humidity", "clock_step"})
    tags.push_back({.name = name, .node = std::format("nsu=urn:rltune:twin:lettuce;s={}", name)});
  for (const char* name : {"co2_supply", "ventilation", "heating", "clock_advance"})
    tags.push_back({.name = name, .node = std::format("nsu=urn:rltune:twin:lettuce;s={}", name), .writable = true});
  tags[2].unit = "degC";
  const auto opened = link.open(tags);
  ASSERT_TRUE(opened) << opened.error().message;
  const auto model = testing::make_simulation(testing::lettuce_season());
  std::vector<Sample> samples(64);
  std::vector<plant::WriteOutcome> outcomes(3);
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint32_t step = 0; step < 250; ++step) {
    const std::vector<double> inputs{0.1 * (step % 3 == 0), 0.01 * (step % 200), 60.0 + 40.0 * std::sin(step)};
    ASSERT_TRUE(link.write(std::vector<std::uint32_t>{5, 6, 7}, inputs, outcomes));
    for (const plant::WriteOutcome& outcome : outcomes) ASSERT_TRUE(outcome.verified);
    ASSERT_TRUE(
        link.write(std::vector<std::uint32_t>{8}, std::vector<double>{step + 1.0}, std::span(outcomes).first(1)));
    model->step(inputs);
    std::vector<double> seen(9);
    while (seen[4] != step + 1.0) {
      const std::size_t count = link.poll(samples, std::chrono::milliseconds(1000));
      ASSERT_GT(count, 0U);
      for (std::size_t i = 0; i < count; ++i) seen[samples[i].tag] = samples[i].value;
    }
    for (std::size_t i = 0; i < 4; ++i)
      ASSERT_EQ(seen[i], model->snapshot(0).measurements[i]) << tags[i].name << " at " << step;
  }
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  std::printf("lockstep over OpcuaLink: %.2f ms a step\n", took.count() / 250);
}

TEST_F(TwinTest, refuses_a_session_without_security) {
  serve();
  TestClient client({.url = twin_->url(), .user = "io", .password = "a good password"});
  EXPECT_NE(client.connect(), UA_STATUSCODE_GOOD);
}

TEST_F(TwinTest, tells_strangers_its_endpoints_and_nothing_else) {
  serve();
  TestClient client({.url = twin_->url()});
  ASSERT_EQ(client.connect_without_session(), UA_STATUSCODE_GOOD);
  UA_EndpointDescription* endpoints = nullptr;
  std::size_t count = 0;
  ASSERT_EQ(UA_Client_getEndpoints(client.get(), twin_->url().c_str(), &count, &endpoints), UA_STATUSCODE_GOOD);
  EXPECT_EQ(count, 3U);
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_EQ(endpoints[i].securityMode, UA_MESSAGESECURITYMODE_SIGNANDENCRYPT);
    ASSERT_EQ(endpoints[i].userIdentityTokensSize, 1U);
    EXPECT_EQ(endpoints[i].userIdentityTokens[0].tokenType, UA_USERTOKENTYPE_USERNAME);
  }
  UA_Array_delete(endpoints, count, &UA_TYPES[UA_TYPES_ENDPOINTDESCRIPTION]);
}

TEST_F(TwinTest, policy_none_works_only_where_it_was_asked_for) {
  options_.allow_none = true;
  serve();
  ClientOptions open = this->client();
  open.encrypted = false;
  TestClient client(open);
  ASSERT_EQ(client.connect(), UA_STATUSCODE_GOOD);
  EXPECT_EQ(client.read("air_temperature"), 15.0);
  open.password = "a bad password";
  TestClient wrong(open);
  EXPECT_NE(wrong.connect(), UA_STATUSCODE_GOOD);
}

TEST_F(TwinTest, refuses_anonymous_users_and_wrong_passwords) {
  serve();
  TestClient anonymous(client("", ""));
  EXPECT_NE(anonymous.connect(), UA_STATUSCODE_GOOD);
  TestClient wrong(client("io", "a bad password"));
  EXPECT_EQ(wrong.connect(), UA_STATUSCODE_BADUSERACCESSDENIED);
  TestClient swapped(client("io", "another password"));
  EXPECT_EQ(swapped.connect(), UA_STATUSCODE_BADUSERACCESSDENIED);
  TestClient unknown(client("root", "a good password"));
  EXPECT_EQ(unknown.connect(), UA_STATUSCODE_BADUSERACCESSDENIED);
}

TEST_F(TwinTest, refuses_an_untrusted_client_until_it_is_trusted) {
  options_.trust.clear();
  serve();
  {
    TestClient stranger(client());
    EXPECT_NE(stranger.connect(), UA_STATUSCODE_GOOD);
  }
  EXPECT_FALSE(std::filesystem::is_empty(folder_ / "server/rejected"));
  ASSERT_TRUE(plant::OpcuaPki::open(folder_ / "server")->trust(folder_ / "client/own/cert.der"));
  TestClient known(client());
  EXPECT_EQ(known.connect(), UA_STATUSCODE_GOOD);
}

TEST_F(TwinTest, refuses_a_client_whose_certificate_names_another_application) {
  serve();
  ClientOptions options = client();
  options.application_uri = "urn:rltune:test:impostor";
  TestClient impostor(options);
  EXPECT_NE(impostor.connect(), UA_STATUSCODE_GOOD);
}

TEST_F(TwinTest, refuses_writes_that_it_must_not_take) {
  serve();
  TestClient client(this->client());
  ASSERT_EQ(client.connect(), UA_STATUSCODE_GOOD);
  EXPECT_EQ(client.write_real("heating", 60.0), UA_STATUSCODE_GOOD);
  EXPECT_EQ(client.read("heating"), 60.0);
  EXPECT_EQ(client.write_real("heating", 151.0), UA_STATUSCODE_BADOUTOFRANGE);
  EXPECT_EQ(client.write_real("heating", std::numeric_limits<double>::quiet_NaN()), UA_STATUSCODE_BADOUTOFRANGE);
  EXPECT_EQ(client.write_count("heating", 60), UA_STATUSCODE_BADTYPEMISMATCH);
  EXPECT_EQ(client.write_text("heating", "60"), UA_STATUSCODE_BADTYPEMISMATCH);
  EXPECT_EQ(client.write_real("air_temperature", 20.0), UA_STATUSCODE_BADNOTWRITABLE);
  EXPECT_EQ(client.write_count("heating_mode", 0), UA_STATUSCODE_BADUSERACCESSDENIED);
  EXPECT_EQ(client.write_count("clock_advance", 5), UA_STATUSCODE_BADOUTOFRANGE);
  EXPECT_EQ(client.read("heating"), 60.0);
}

TEST_F(TwinTest, lets_no_client_change_its_address_space) {
  serve();
  TestClient client(this->client());
  ASSERT_EQ(client.connect(), UA_STATUSCODE_GOOD);
  EXPECT_NE(UA_Client_deleteNode(client.get(), TestClient::node("heating"), true), UA_STATUSCODE_GOOD);
  const UA_LocalizedText name = UA_LOCALIZEDTEXT(const_cast<char*>("en"), const_cast<char*>("cooling"));
  EXPECT_NE(UA_Client_writeDisplayNameAttribute(client.get(), TestClient::node("heating"), &name), UA_STATUSCODE_GOOD);
  EXPECT_EQ(client.read("heating"), 50.0);
}

TEST_F(TwinTest, tells_units_and_ranges) {
  serve();
  TestClient client(this->client());
  ASSERT_EQ(client.connect(), UA_STATUSCODE_GOOD);
  const auto range = client.read_structure<UA_Range>("heating.EURange", UA_TYPES_RANGE);
  ASSERT_TRUE(range);
  EXPECT_EQ(range->low, 0.0);
  EXPECT_EQ(range->high, 150.0);
  auto unit = client.read_structure<UA_EUInformation>("air_temperature.EngineeringUnits", UA_TYPES_EUINFORMATION);
  ASSERT_TRUE(unit);
  EXPECT_EQ(unit->unitId, 4408652);  // "CEL"
  const UA_String celsius = UA_STRING(const_cast<char*>("degC"));
  EXPECT_TRUE(UA_String_equal(&unit->displayName.text, &celsius));
  UA_EUInformation_clear(&*unit);
}

TEST_F(TwinTest, can_be_browsed_from_the_objects_folder) {
  serve();
  TestClient client(this->client());
  ASSERT_EQ(client.connect(), UA_STATUSCODE_GOOD);
  const auto target = [&](std::vector<std::pair<UA_UInt16, const char*>> path) {
    UA_BrowsePath browse;
    UA_BrowsePath_init(&browse);
    browse.startingNode = UA_NODEID_NUMERIC(0, UA_NS0ID_OBJECTSFOLDER);
    std::vector<UA_RelativePathElement> elements;
    for (const auto& [index, name] : path)
      elements.push_back({UA_NODEID_NUMERIC(0, UA_NS0ID_HIERARCHICALREFERENCES), false, true,
                          UA_QUALIFIEDNAME(index, const_cast<char*>(name))});
    browse.relativePath = {elements.size(), elements.data()};
    UA_TranslateBrowsePathsToNodeIdsRequest request;
    UA_TranslateBrowsePathsToNodeIdsRequest_init(&request);
    request.browsePaths = &browse;
    request.browsePathsSize = 1;
    auto response = UA_Client_Service_translateBrowsePathsToNodeIds(client.get(), request);
    const bool found = response.resultsSize == 1 && response.results[0].targetsSize == 1;
    UA_TranslateBrowsePathsToNodeIdsResponse_clear(&response);
    return found;
  };
  EXPECT_TRUE(target({{1, "lettuce"}, {1, "Sensors"}, {1, "air_temperature"}, {0, "EURange"}}));
  EXPECT_TRUE(target({{1, "lettuce"}, {1, "SetPoints"}, {1, "heating"}, {0, "EngineeringUnits"}}));
  EXPECT_TRUE(target({{1, "lettuce"}, {1, "Forecast"}, {1, "outdoor_temperature_forecast"}}));
  EXPECT_FALSE(target({{1, "lettuce"}, {1, "Sensors"}, {1, "lamp"}}));
}

TEST_F(TwinTest, keeps_the_history_of_sensors_and_set_points_at_the_plants_time) {
  options_.start = TimePoint(std::chrono::seconds(1'000'000'000));
  serve();
  TestClient client(this->client());
  ASSERT_EQ(client.connect(), UA_STATUSCODE_GOOD);
  std::vector<double> temperatures{client.read("air_temperature")};
  for (std::uint32_t step = 1; step <= 20; ++step) {
    ASSERT_EQ(client.write_real("heating", 50.0 + step), UA_STATUSCODE_GOOD);
    advance(client, step);
    temperatures.push_back(client.read("air_temperature"));
  }
  constexpr std::int64_t kPeriod = 1800 * UA_DATETIME_SEC;
  const std::int64_t start = UA_DateTime_fromUnixTime(1'000'000'000);
  const auto all = client.history("air_temperature", start, start + 100 * kPeriod);
  ASSERT_EQ(client.history_status(), UA_STATUSCODE_GOOD);
  ASSERT_EQ(all.size(), 21U);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].value, temperatures[i]);
    EXPECT_EQ(all[i].source_time, start + static_cast<std::int64_t>(i) * kPeriod);
  }
  const auto part = client.history("heating", start + 5 * kPeriod, start + 8 * kPeriod);
  // The end does not count (Part 11, 6.4.3): steps 5 to 7, at each of them what stood and what was written next.
  std::vector<double> heating;
  for (const Change& change : part) heating.push_back(change.value);
  EXPECT_EQ(heating, (std::vector{55.0, 56.0, 56.0, 57.0, 57.0, 58.0}));
  const auto paged = client.history("air_temperature", start, start + 100 * kPeriod, 6);
  EXPECT_EQ(paged.size(), 21U);
}

TEST_F(TwinTest, every_write_that_was_taken_is_in_the_history_in_its_order) {
  serve();
  TestClient client(this->client());
  ASSERT_EQ(client.connect(), UA_STATUSCODE_GOOD);
  for (const double value : {60.0, 40.0, 1e9, 70.0}) client.write_real("heating", value);
  std::vector<double> values;
  for (const Change& change :
       client.history("heating", UA_DateTime_fromUnixTime(-1000), UA_DateTime_fromUnixTime(1800)))
    values.push_back(change.value);
  EXPECT_EQ(values, (std::vector{50.0, 60.0, 40.0, 70.0}));
}

TEST_F(TwinTest, drops_the_oldest_history_when_it_is_full) {
  options_.history_values = 20;
  serve();
  TestClient client(this->client());
  ASSERT_EQ(client.connect(), UA_STATUSCODE_GOOD);
  for (std::uint32_t step = 1; step <= 50; ++step) advance(client, step);
  const auto kept =
      client.history("air_temperature", UA_DateTime_fromUnixTime(-1000), UA_DateTime_fromUnixTime(1800 * 100));
  EXPECT_GE(kept.size(), 17U);
  EXPECT_LE(kept.size(), 21U);
  ASSERT_FALSE(kept.empty());
  EXPECT_EQ(kept.back().value, client.read("air_temperature"));
  EXPECT_EQ(kept.back().source_time, UA_DateTime_fromUnixTime(1800 * 50));
}

TEST_F(TwinTest, sensor_faults_reach_subscribed_clients) {
  options_.test_faults = true;
  serve();
  TestClient client(this->client());
  ASSERT_EQ(client.connect(), UA_STATUSCODE_GOOD);
  ASSERT_EQ(client.subscribe({"air_temperature", "clock_step"}), UA_STATUSCODE_GOOD);
  std::uint32_t step = 0;
  // The changes of the temperature during one step.
  const auto after = [&](const std::string& fault) {
    EXPECT_EQ(client.write_text("test_fault", "air_temperature " + fault), UA_STATUSCODE_GOOD);
    EXPECT_EQ(client.write_count("clock_advance", ++step), UA_STATUSCODE_GOOD);
    std::vector<Change> seen;
    for (bool done = false; !done;) {
      if (client.poll(100) != UA_STATUSCODE_GOOD) break;
      for (; !client.changes().empty(); client.changes().pop_front()) {
        const Change& change = client.changes().front();
        if (change.item == 0 && change.source_time > UA_DateTime_fromUnixTime(1800 * (step - 1)))
          seen.push_back(change);
        done = done || (change.item == 1 && change.value == step);
      }
    }
    return seen;
  };
  EXPECT_EQ(after("value 55").at(0).value, 55.0);
  EXPECT_TRUE(std::isnan(after("nan").at(0).value));
  EXPECT_TRUE(std::isinf(after("infinite").at(0).value));
  EXPECT_EQ(after("bad_status").at(0).status, UA_STATUSCODE_BADSENSORFAILURE);
  EXPECT_EQ(after("wrong_type").at(0).type, &UA_TYPES[UA_TYPES_STRING]);
  EXPECT_TRUE(after("dropout").empty());
  const double healthy = after("none").at(0).value;
  EXPECT_GT(healthy, 0.0);
  EXPECT_EQ(after("stuck").at(0).value, healthy);
}

TEST_F(TwinTest, sheds_when_the_heartbeat_stops_and_comes_back_with_it) {
  options_.shed_after = std::chrono::milliseconds(300);
  serve();
  TestClient client(this->client());
  ASSERT_EQ(client.connect(), UA_STATUSCODE_GOOD);
  const auto wait_for = [&](double shed) {
    for (int i = 0; i < 300 && client.read("shed") != shed; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return client.read("shed") == shed;
  };
  ASSERT_EQ(client.write_count("guard_alive", 1), UA_STATUSCODE_GOOD);
  ASSERT_TRUE(wait_for(1.0));
  EXPECT_EQ(client.read("local_control"), 3.0);
  EXPECT_EQ(client.write_real("heating", 60.0), UA_STATUSCODE_BADINVALIDSTATE);
  ASSERT_EQ(client.write_count("guard_alive", 2), UA_STATUSCODE_GOOD);
  ASSERT_TRUE(wait_for(0.0));
  EXPECT_EQ(client.write_real("heating", 60.0), UA_STATUSCODE_GOOD);
}

TEST_F(TwinTest, the_control_room_takes_an_output_by_user_and_by_file) {
  options_.dcs_file = folder_ / "dcs";
  serve();
  TestClient room(client("dcs", "another password"));
  ASSERT_EQ(room.connect(), UA_STATUSCODE_GOOD);
  TestClient host(client());
  ASSERT_EQ(host.connect(), UA_STATUSCODE_GOOD);
  ASSERT_EQ(room.write_count("heating_mode", 0), UA_STATUSCODE_GOOD);
  EXPECT_EQ(host.write_real("heating", 60.0), UA_STATUSCODE_BADINVALIDSTATE);
  EXPECT_EQ(room.write_real("heating", 60.0), UA_STATUSCODE_GOOD);
  EXPECT_EQ(host.read("heating"), 60.0);
  ASSERT_TRUE(write_file(folder_ / "dcs", "heating_mode: 1\nventilation_mode: 0\n"));
  for (int i = 0; i < 300 && host.read("ventilation_mode") != 0.0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(host.read("ventilation_mode"), 0.0);
  EXPECT_EQ(host.read("heating_mode"), 1.0);
  EXPECT_EQ(host.write_real("heating", 61.0), UA_STATUSCODE_GOOD);
}

TEST_F(TwinTest, goes_on_from_its_journal) {
  options_.state = folder_ / "season.journal";
  serve();
  double temperature = 0.0, season_return = 0.0;
  {
    TestClient client(this->client());
    ASSERT_EQ(client.connect(), UA_STATUSCODE_GOOD);
    for (std::uint32_t step = 1; step <= 10; ++step) {
      ASSERT_EQ(client.write_real("heating", 50.0 + step), UA_STATUSCODE_GOOD);
      advance(client, step);
    }
    temperature = client.read("air_temperature");
    season_return = client.read("season_return");
  }
  stop();
  serve();
  TestClient client(this->client());
  ASSERT_EQ(client.connect(), UA_STATUSCODE_GOOD);
  EXPECT_EQ(client.read("clock_step"), 10.0);
  EXPECT_EQ(client.read("air_temperature"), temperature);
  EXPECT_EQ(client.read("season_return"), season_return);
  EXPECT_EQ(client.read("heating"), 60.0);
  advance(client, 11);
  stop();
  options_.seed = 2;
  options_.simulation.randomisation.parameter_noise = 0.1;
  const auto other = Twin::start(options_, clock_);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Errc::mismatch);
}

TEST_F(TwinTest, says_that_the_port_is_taken) {
  serve();
  TwinOptions second = options_;
  second.port = static_cast<std::uint16_t>(std::stoi(twin_->url().substr(twin_->url().rfind(':') + 1)));
  const auto twin = Twin::start(second, clock_);
  ASSERT_FALSE(twin);
  EXPECT_EQ(twin.error().code, Errc::io);
}

TEST_F(TwinTest, on_the_wall_clock_the_season_goes_by_itself) {
  options_.clock = ClockMode::wall;
  options_.speed = 1800.0 / 0.05;
  serve();
  TestClient client(this->client());
  ASSERT_EQ(client.connect(), UA_STATUSCODE_GOOD);
  ASSERT_EQ(client.subscribe({"clock_step"}, 10.0), UA_STATUSCODE_GOOD);
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(600)) client.poll(50);
  EXPECT_GE(client.changes().back().value, 8.0);
  EXPECT_GE(client.changes().size(), 8U);
  EXPECT_NE(client.write_count("clock_advance", 1), UA_STATUSCODE_GOOD);  // no such tag
}

}  // namespace
}  // namespace rltune::twin
