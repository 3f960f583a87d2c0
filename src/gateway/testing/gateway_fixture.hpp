// A gateway with real stores, a real server and a real bus, whose other end is the test. Plain HTTP: what TLS does is
// the server's affair.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "answer_record.hpp"
#include "audit_operations.hpp"
#include "backup_operations.hpp"
#include "break_glass.hpp"
#include "config_operations.hpp"
#include "decision_operations.hpp"
#include "door.hpp"
#include "fake_backups.hpp"
#include "fake_coredinator.hpp"
#include "fake_library.hpp"
#include "fake_telemetry.hpp"
#include "history_operations.hpp"
#include "http_exchange.hpp"
#include "key_operations.hpp"
#include "manual_clock.hpp"
#include "oidc_sign_in.hpp"
#include "open_paths.hpp"
#include "plant_operations.hpp"
#include "policy_operations.hpp"
#include "rltune/access/key_ring.hpp"
#include "rltune/access/password.hpp"
#include "rltune/base/file.hpp"
#include "rltune/v1/control.pb.h"
#include "rltune/v1/history.pb.h"
#include "rltune/v1/supervision.pb.h"
#include "run_operations.hpp"
#include "sign_in.hpp"
#include "site_operations.hpp"
#include "telemetry_operations.hpp"
#include "temporary_folder.hpp"
#include "user_operations.hpp"

namespace rltune::gateway {

using nlohmann::json;

inline constexpr const char* kPassword = "correct horse battery";
inline const LimitOptions kNoLimits{.rate = {.per_second = 1000.0, .burst = 10'000.0}, .exempt = {}, .operations = {}};
inline api::AnswerRecord& answers = api::record_answers(api::Wanted::every_operation);

// A header of an answer; empty where there is none.
inline std::string header_of(const HttpAnswer& answer, const std::string& name) {
  const std::size_t at = answer.head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const std::size_t from = at + name.size() + 4;
  return answer.head.substr(from, answer.head.find("\r\n", from) - from);
}

class GatewayTest : public ::testing::Test {
 protected:
  void SetUp() override {
    static const auto hash = access::hash_password(kPassword);  // it costs a tenth of a second
    ASSERT_TRUE(hash);
    std::string users = "schema: rltune/users/v1\nsign_in: {attempts_max: 3, lockout_minutes: 10}\nusers:\n";
    for (const char* role : {"viewer", "operator", "engineer", "admin"}) {
      users += std::string("  - {name: ") + role + ", role: " + role + ", full_name: Some " + role +
               ", password_hash_file: secrets/" + role + "}\n";
      ASSERT_TRUE(write_secret_file(folder_.path() / "secrets" / role, *hash + "\n"));
    }
    users += "  - {name: feeder, role: service, password_hash_file: secrets/viewer}\n";
    write_users(users);
    ASSERT_TRUE(telemetry_.start(folder_.path() / "telemetry.json"));
    start({.limits = kNoLimits});
  }
  void TearDown() override {
    server_.reset();
    stop_ = true;
    if (site_.joinable()) site_.join();
  }

  void write_users(const std::string& text) {
    users_ = text;
    ASSERT_TRUE(write_file(folder_.path() / "users.yaml", text));
  }
  // The gateway again, over the same stores.
  void start(const DoorOptions& options, std::optional<UiFiles> ui = {}) {
    server_.reset();
    open_paths_.reset();
    break_glass_.reset();
    oidc_.reset();
    sign_in_.reset();
    door_.reset();
    credentials_.reset();
    accounts_.emplace(folder_.path());
    auto keys = access::KeyRing::open({.file = folder_.path() / "keys"}, clock_);
    ASSERT_TRUE(keys);
    keys_ = std::move(*keys);
    sessions_.reset();
    auto sessions = access::Sessions::open({.file = folder_.path() / "sessions.db"}, clock_.now());
    ASSERT_TRUE(sessions) << sessions.error().message;
    sessions_.emplace(std::move(*sessions));
    auto links = access::OneTimeLinks::open(folder_.path() / "links.db");
    ASSERT_TRUE(links);
    links_.emplace(std::move(*links));
    auto codes = access::UsedCodes::open(folder_.path() / "codes.db");
    ASSERT_TRUE(codes);
    codes_.emplace(std::move(*codes));
    if (!caller_) start_site();
    credentials_.emplace(*accounts_, *sessions_, *keys_, emergency_, "rltune:test");
    const auto tell = [this](const SignInEvent& event) {
      const std::scoped_lock lock(mutex_);
      events_.push_back(event.action + " " + event.account);
    };
    sign_in_.emplace(SignIn::Parts{.accounts = *accounts_,
                                   .sessions = *sessions_,
                                   .links = *links_,
                                   .codes = *codes_,
                                   .credentials = *credentials_,
                                   .emergency = emergency_,
                                   .clock = clock_,
                                   .site = "pilot",
                                   .tell = tell});
    break_glass_.emplace(BreakGlass::Parts{.file = folder_.path() / "break-glass",
                                           .session = emergency_,
                                           .credentials = *credentials_,
                                           .clock = clock_,
                                           .tell = tell});
    oidc_.emplace(OidcSignIn::Parts{
        .accounts = *accounts_, .sign_in = *sign_in_, .clock = clock_, .own_url = "https://localhost:8443"});
    door_.emplace(options, *credentials_, clock_, registry_, [this](const Refusal& refusal) {
      const std::scoped_lock lock(mutex_);
      events_.push_back("denied " + refusal.account + " " + refusal.operation);
    });
    Handlers handlers = sign_in_->handlers();
    handlers.merge(oidc_->handlers());
    handlers.merge(break_glass_->handlers());
    config::Site site;
    site.name = "north";
    site.folder = folder_.path();
    site.agents.emplace_back().id = "climate";
    handlers.merge(site_handlers(*caller_, site));
    handlers.merge(config_handlers(*caller_));
    handlers.merge(
        user_handlers({.accounts = *accounts_,
                       .sessions = *sessions_,
                       .links = *links_,
                       .clock = clock_,
                       .tell = [this](const Call& call, const std::string& action, const std::string& account) {
                         const std::scoped_lock lock(mutex_);
                         events_.push_back(action + " " + account + " by " + call.identity->name);
                       }}));
    handlers.merge(key_handlers(*caller_, *keys_, clock_, [this](const Call& call, const std::string& reason) {
      const std::scoped_lock lock(mutex_);
      events_.push_back("rotated " + call.identity->name + " " + reason);
    }));
    const Reading reading{.caller = *caller_, .workers = workers_, .clock = clock_};
    const TellRead tell_read = [this](const ReadEvent& event) {
      const std::scoped_lock lock(mutex_);
      events_.push_back(event.action + " " + event.account + " " + event.target);
    };
    handlers.merge(history_handlers(reading));
    handlers.merge(decision_handlers(reading, tell_read));
    handlers.merge(audit_handlers(reading, tell_read));
    handlers.merge(plant_handlers(reading));
    handlers.merge(policy_handlers(reading));
    handlers.merge(run_handlers(reading));
    handlers.merge(backup_handlers(reading));
    handlers.merge(telemetry_handlers(
        {.announcement = folder_.path() / "telemetry.json", .paths = HostPaths(folder_.path()), .workers = workers_},
        tell_read));
    open_paths_.emplace(door_->limits(), door_->origins(), clock_, std::move(ui));
    auto server = webserver::Server::start({.threads = 2, .unrouted = open_paths_->unrouted()},
                                           door_->routes(std::move(handlers)), sockets());
    ASSERT_TRUE(server) << server.error().message;
    server_.emplace(std::move(*server));
  }

  // A socket behind the door: what it is told goes nowhere.
  std::vector<webserver::SocketRoute> sockets() {
    const Door::Join join = [](const std::shared_ptr<webserver::Socket>&, const std::function<bool()>&) {
      return webserver::SocketEvents();
    };
    return {door_->socket_route("/api/v1/live", api::Permission::site_read, join)};
  }

  // `headers`: more lines, one behind the other with "\r\n" between.
  HttpAnswer call(const std::string& line, const std::string& token = {}, const std::string& body = {},
                  const std::string& headers = {}) const {
    std::vector<std::string> lines;
    if (!token.empty()) lines.push_back("Authorization: Bearer " + token);
    if (!body.empty() && !headers.contains("Content-Type")) lines.emplace_back("Content-Type: application/json");
    if (!headers.empty()) lines.push_back(headers);
    std::string head = line;
    for (std::size_t i = 0; i < lines.size(); ++i) head += (i == 0 ? "\n" : "\r\n") + lines[i];
    const HttpAnswer answer = http_exchange(server_->port(), head, body);
    const std::size_t space = line.find(' ');
    answers.note(line.substr(0, space), line.substr(space + 1), answer.status, header_of(answer, "Content-Type"),
                 answer.body);
    return answer;
  }
  HttpAnswer login(const std::string& user, const std::string& password = kPassword, const json& more = {}) const {
    json body{{"user", user}, {"password", password}};
    if (more.is_object()) body.update(more);
    return call("POST /api/v1/auth/login", {}, body.dump());
  }
  json tokens(const std::string& user) const {
    const HttpAnswer answer = login(user);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json::parse(answer.body, nullptr, false);
  }
  std::string token(const std::string& user) const { return tokens(user).value("access_token", ""); }
  std::vector<std::string> events() {
    const std::scoped_lock lock(mutex_);
    return events_;
  }
  // What the bus's other end was asked last, and in whose name.
  std::string asked() {
    const std::scoped_lock lock(mutex_);
    return asked_;
  }

  TemporaryFolder folder_;
  FakeTelemetry telemetry_;
  FakeCoredinator coredinator_;
  std::string users_;
  ManualClock clock_{TimePoint(std::chrono::seconds(1'800'000'000))};
  metrics::Registry registry_{"gateway"};
  std::optional<Accounts> accounts_;
  std::unique_ptr<access::KeyRing> keys_;
  std::optional<access::Sessions> sessions_;
  std::optional<access::OneTimeLinks> links_;
  std::optional<access::UsedCodes> codes_;
  EmergencySession emergency_;
  std::optional<Credentials> credentials_;
  std::optional<Door> door_;
  Workers workers_{1, 32};
  std::optional<SignIn> sign_in_;
  std::optional<OidcSignIn> oidc_;
  std::optional<BreakGlass> break_glass_;
  std::optional<OpenPaths> open_paths_;
  std::optional<webserver::Server> server_;
  std::atomic<bool> stop_ = false;

 private:
  void start_site() {
    const std::string endpoint = bus::call_endpoint(folder_.path().string(), "coredinator");
    auto server = bus::Server::bind(endpoint);
    ASSERT_TRUE(server) << server.error().message;
    site_ = std::thread([this, server = std::make_shared<bus::Server>(std::move(*server))] { serve(*server); });
    auto caller = bus::Caller::connect(endpoint);
    ASSERT_TRUE(caller);
    caller_.emplace(std::move(*caller));
  }
  void note(const bus::Call& call, const std::string& what = {}) {
    const std::scoped_lock lock(mutex_);
    asked_ = std::string(call.method) + " " + std::string(call.target) + " by " + std::string(call.token) +
             (what.empty() ? "" : " " + what);
  }
  void serve(bus::Server& server) {
    coredinator_.serve(server);
    server.handle<v1::RolesRequest, v1::RolesAnswer>(
        "coredinator.Roles", [this](const bus::Call& call, const v1::RolesRequest&, v1::RolesAnswer& answer) {
          note(call, std::string(call.correlation_id));
          v1::RoleState& role = *answer.add_roles();
          role.set_name("io");
          role.set_state("healthy");
          role.set_started_unix_ns(1'700'000'000'000'000'000);
          return Result<>();
        });
    server.handle<v1::IoStatusRequest, v1::IoStatusAnswer>(
        "io.Status", [this](const bus::Call& call, const v1::IoStatusRequest&, v1::IoStatusAnswer& answer) {
          note(call);
          answer.set_mode("manual");
          *answer.mutable_latest() = latest_;
          return Result<>();
        });
    server.handle<v1::ModeRequest, v1::ModeAnswer>(
        "io.Mode", [this](const bus::Call& call, const v1::ModeRequest& request, v1::ModeAnswer& answer) {
          note(call, request.user() + ":" + request.mode() + ":" + request.reason());
          answer.set_mode(request.mode().empty() ? "manual" : request.mode());
          return Result<>();
        });
    server.handle<v1::WriteRequest, v1::WriteAnswer>(
        "io.Write",
        [this](const bus::Call& call, const v1::WriteRequest& request, v1::WriteAnswer& answer) -> Result<> {
          note(call, request.user() + ":" + request.tag());
          if (request.tag() == "nothing") return fail(Errc::not_found, "no such set-point");
          answer.mutable_verdict()->set_tag(request.tag());
          answer.mutable_verdict()->set_proposed(request.value());
          answer.mutable_verdict()->set_applied(std::min(request.value(), 10.0));
          answer.mutable_verdict()->set_written(true);
          answer.set_verified(true);
          return {};
        });
    server.handle<v1::AgentsRequest, v1::AgentsAnswer>(
        "coredinator.Agents", [this](const bus::Call& call, const v1::AgentsRequest&, v1::AgentsAnswer& answer) {
          note(call);
          answer.add_agents()->set_id("climate");
          return Result<>();
        });
    server.handle<v1::AgentOrder, v1::AgentInfo>(
        "coredinator.OrderAgent", [this](const bus::Call& call, const v1::AgentOrder& order, v1::AgentInfo& answer) {
          note(call, order.user() + ":" + order.agent() + ":" + order.verb());
          answer.set_id(order.agent());
          return Result<>();
        });
    server.handle<v1::VersionOrder, v1::AgentInfo>(
        "coredinator.OrderVersion",
        [this](const bus::Call& call, const v1::VersionOrder& order, v1::AgentInfo& answer) {
          note(call, order.user() + ":" + order.agent() + ":" + order.version() + ":" + order.verb());
          answer.set_id(order.agent());
          return Result<>();
        });
    serve_records(server);
    while (!stop_) server.serve(std::chrono::milliseconds(20));
  }

  void serve_records(bus::Server& server) {
    server.handle<v1::TagsRequest, v1::TagsAnswer>(
        "records.Tags", [this](const bus::Call& call, const v1::TagsRequest&, v1::TagsAnswer& answer) {
          note(call);
          answer = recorded_tags_;
          return Result<>();
        });
    server.handle<v1::SamplesRequest, v1::SamplesAnswer>(
        "records.Samples",
        [this](const bus::Call& call, const v1::SamplesRequest& request, v1::SamplesAnswer& answer) -> Result<> {
          note(call, std::format("{} {} {} {}", request.tag(), request.from_unix_ns(), request.to_unix_ns(),
                                 request.limit()));
          if (request.tag() == "nothing") return fail(Errc::not_found, "the site has no tag 'nothing'");
          answer = recorded_samples_;
          return {};
        });
    server.handle<v1::RollupsRequest, v1::RollupsAnswer>(
        "records.Rollups", [this](const bus::Call& call, const v1::RollupsRequest& request, v1::RollupsAnswer& answer) {
          note(call, request.tag() + " " + request.resolution());
          answer = recorded_rollups_;
          return Result<>();
        });
    serve_decisions(server);
    serve_audit(server);
    const auto note_it = [this](const bus::Call& call, const std::string& what) { note(call, what); };
    library_.serve(server, note_it);
    backups_.serve(server, note_it);
  }
  void serve_decisions(bus::Server& server) {
    server.handle<v1::DecisionsRequest, v1::DecisionsAnswer>(
        "records.Decisions",
        [this](const bus::Call& call, const v1::DecisionsRequest& request, v1::DecisionsAnswer& answer) {
          note(call, std::format("{} {} {} {} {}", request.from_unix_ns(), request.to_unix_ns(), request.agent(),
                                 request.limit(), request.after()));
          answer = recorded_decisions_;
          return Result<>();
        });
    server.handle<v1::DecisionRequest, v1::DecisionRecord>(
        "records.Decision",
        [this](const bus::Call& call, const v1::DecisionRequest& request, v1::DecisionRecord& answer) {
          note(call, request.id());
          answer = recorded_decision_;
          return Result<>();
        });
    server.handle<v1::ReplayRequest, v1::ReplayAnswer>(
        "records.Replay",
        [this](const bus::Call& call, const v1::ReplayRequest& request, v1::ReplayAnswer& answer) -> Result<> {
          note(call, request.id());
          if (request.id() == "nothing") return fail(Errc::not_found, "no decision of that id is on record");
          answer.set_id(request.id());
          answer.set_outcome("different");
          answer.add_differences()->set_what("network_output[0]");
          return {};
        });
  }
  void serve_audit(bus::Server& server) {
    server.handle<v1::AuditRequest, v1::AuditAnswer>(
        "records.Audit", [this](const bus::Call& call, const v1::AuditRequest& request, v1::AuditAnswer& answer) {
          note(call, std::format("{} {} {} {} {} {}", request.from_unix_ns(), request.to_unix_ns(), request.actor(),
                                 request.action(), request.limit(), request.after()));
          answer = recorded_audit_;
          return Result<>();
        });
    server.handle<v1::AuditVerificationRequest, v1::AuditVerificationAnswer>(
        "records.AuditVerification",
        [this](const bus::Call& call, const v1::AuditVerificationRequest&, v1::AuditVerificationAnswer& answer) {
          note(call);
          answer = recorded_verification_;
          return Result<>();
        });
  }

 protected:
  FakeLibrary library_;
  FakeBackups backups_;
  // What the site has on record; set before start(), or before anything asks.
  v1::TagsAnswer recorded_tags_;
  v1::SamplesAnswer recorded_samples_;
  v1::RollupsAnswer recorded_rollups_;
  v1::SampleBatch latest_;
  v1::DecisionsAnswer recorded_decisions_;
  v1::DecisionRecord recorded_decision_;
  v1::AuditAnswer recorded_audit_;
  v1::AuditVerificationAnswer recorded_verification_;

 private:
  std::mutex mutex_;
  std::vector<std::string> events_;
  std::string asked_;
  std::thread site_;
  std::optional<bus::Caller> caller_;
};

}  // namespace rltune::gateway
