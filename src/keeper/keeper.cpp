#include "rltune/keeper/keeper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <format>
#include <fstream>
#include <optional>
#include <set>
#include <thread>

#include "forward.hpp"
#include "line_log.hpp"
#include "rltune/base/backoff.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/v1/supervision.pb.h"
#include "service_manager.hpp"
#include "spawn.hpp"

namespace rltune::keeper {
namespace {

using namespace std::chrono_literals;

constexpr const char* kCoredinator = "coredinator";
constexpr int kCoredinatorOrder = 0;  // stops last
constexpr int kWrongUsage = 2;        // starting it again would not help
constexpr auto kUnkillable = 5s;      // after SIGKILL
constexpr auto kStrayWait = 10ms;
constexpr auto kTick = 100ms;  // how late a deadline may be noticed

struct Child {
  std::string name;
  int order = 0;
  bool once = false;
  Process process;
  std::unique_ptr<LineLog> log;
  TimePoint started{};
  std::optional<Duration> kill_at;  // asked to stop; steady time of SIGKILL
  std::optional<Duration> killed;   // when it first got one
};

class Descriptor {
 public:
  explicit Descriptor(int value = -1) noexcept : value_(value) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  void reset(int value = -1) noexcept {
    if (value_ >= 0) ::close(value_);
    value_ = value;
  }
  int get() const noexcept { return value_; }

 private:
  int value_;
};

std::string describe_end(int code, int signal) {
  return signal != 0 ? "signal " + std::to_string(signal) : "exit " + std::to_string(code);
}

class Keeper {
 public:
  explicit Keeper(const Options& options)
      : options_(options),
        log_folder_(options.log_folder.empty() ? options.run_folder / "logs" : options.log_folder),
        forward_(STDERR_FILENO),
        logs_(log_folder_, clock_,
              [this](std::string_view level, const std::string& message) { forward_.say(level, message); }) {}

  Result<Summary> run() {
    if (auto ready = prepare(); !ready) return std::unexpected(ready.error());
    if (auto started = start_coredinator(); !started) return std::unexpected(started.error());
    while (true) {
      if (stopping_) stop_next();
      if (stopping_ && children_.empty()) break;
      kill_overdue();
      watch_coredinator();
      watch_start();
      manager_.alive(clock_.steady());
      turn_logs();
      wait();
    }
    kill_strays();
    return summary_;
  }

 private:
  Result<> prepare() {
    std::error_code code;
    for (const std::filesystem::path& folder : {options_.run_folder, log_folder_}) {
      std::filesystem::create_directories(folder, code);
      if (code) return fail(Errc::io, "cannot create " + folder.string() + ": " + code.message());
    }
    // Grandchildren whose parent dies come to us, so that none outlives the site.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigset_t taken;
    ::sigemptyset(&taken);
    for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1}) ::sigaddset(&taken, number);
    ::sigprocmask(SIG_BLOCK, &taken, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    signals_.reset(::signalfd(-1, &taken, SFD_NONBLOCK | SFD_CLOEXEC));
    if (signals_.get() < 0) return fail(Errc::io, "cannot receive signals");
    return {};
  }

  Result<> start_coredinator() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0)
      return fail(Errc::io, "cannot make coredinator's socket");
    socket_.reset(ends[0]);
    const Descriptor theirs(ends[1]);
    Program program;
    program.command = options_.coredinator;
    program.inherited = theirs.get();
    last_request_ = clock_.steady();
    return start(kCoredinator, kCoredinatorOrder, false, program);
  }

  Result<> start(const std::string& name, int order, bool once, const Program& program) {
    auto process = spawn(program);
    if (!process) return std::unexpected(process.error());
    RoleHistory& history = summary_.roles[name];
    ++history.starts;
    history.pid = process->pid;
    history.end.clear();
    auto log = std::make_unique<LineLog>(logs_, name);
    children_.push_back({name, order, once, *process, std::move(log), clock_.now(), std::nullopt});
    forward_.say("INFO", name + " started, process " + std::to_string(process->pid));
    return {};
  }

  Child* find(const std::string& name) {
    const auto found = std::ranges::find(children_, name, &Child::name);
    return found == children_.end() ? nullptr : &*found;
  }

  // --- stopping

  void begin_stop(const std::string& reason, bool failed) {
    if (stopping_) return;
    stopping_ = true;
    summary_.reason = reason;
    summary_.failed = failed;
    forward_.say(failed ? "ERROR" : "INFO", "stopping: " + reason);
    if (summary_.restart)
      manager_.reloading(reason, clock_.steady());
    else
      manager_.stopping(reason);
    v1::KeeperNotice notice;
    notice.mutable_stopping()->set_reason(reason);
    tell(notice);
  }

  void ask_to_stop(Child& child, Duration grace) {
    if (child.kill_at) return;
    child.kill_at = clock_.steady() + grace;
    ::kill(child.process.pid, SIGTERM);
  }

  // Only the highest order that still runs is asked: an agent outlives its learner, io its agents.
  void stop_next() {
    if (children_.empty()) return;
    const int order = std::ranges::max_element(children_, {}, &Child::order)->order;
    for (Child& child : children_)
      if (child.order == order) ask_to_stop(child, grace_);
  }

  void kill_overdue() {
    const Duration now = clock_.steady();
    for (Child& child : children_) {
      if (!child.kill_at || now < *child.kill_at) continue;
      forward_.say("WARNING", child.name + " did not stop in time and is killed");
      ::kill(-child.process.pid, SIGKILL);
      child.kill_at = now + 1s;
      if (!child.killed) child.killed = now;
    }
    // One that waits in the kernel, as for a network folder that is gone, does not even take that.
    if (!stopping_) return;
    std::erase_if(children_, [&](const Child& child) {
      if (!child.killed || now - *child.killed < kUnkillable) return false;
      forward_.say("ERROR", child.name + " cannot be killed: it waits in the kernel, and is left behind");
      return true;
    });
  }

  void kill_everything() {
    for (const Child& child : children_) ::kill(-child.process.pid, SIGKILL);
  }

  // Processes that some role left behind.
  void kill_strays() {
    const std::string list = "/proc/self/task/" + std::to_string(::getpid()) + "/children";
    for (int round = 0; round < 100; ++round) {
      std::ifstream file(list);
      std::vector<pid_t> strays;
      for (pid_t pid = 0; file >> pid;) strays.push_back(pid);
      if (strays.empty()) return;
      for (const pid_t pid : strays) ::kill(pid, SIGKILL);
      std::this_thread::sleep_for(kStrayWait);
      for (const pid_t pid : strays) ::waitpid(pid, nullptr, WNOHANG);
    }
  }

  // --- coredinator

  void watch_coredinator() {
    if (stopping_) return;
    const Duration now = clock_.steady();
    if (Child* running = find(kCoredinator)) {
      if (now - last_request_ < options_.silence_max) return;
      forward_.say("ERROR", "coredinator is silent and is killed");
      ::kill(-running->process.pid, SIGKILL);
      last_request_ = now;
      return;
    }
    if (now < restart_at_) return;
    if (auto started = start_coredinator(); !started) {
      forward_.say("ERROR", started.error().message);
      restart_at_ = now + backoff_.next();
    }
  }

  void watch_start() {
    if (stopping_ || summary_.ready || options_.ready_within <= Duration::zero()) return;
    if (clock_.steady() - begun_ >= options_.ready_within)
      begin_stop(std::format("not every role answered within {:.0f} s", to_seconds(options_.ready_within)), true);
  }

  void coredinator_exited(const Child& child, int code) {
    socket_.reset();
    if (stopping_) return;
    if (code == kWrongUsage) return begin_stop("coredinator refused to run: its lines above say why", true);
    if (clock_.now() - child.started > 30s) backoff_.reset();
    restart_at_ = clock_.steady() + backoff_.next();
    forward_.say("WARNING", "coredinator is gone and will be started again");
  }

  void tell(const v1::KeeperNotice& notice) {
    if (socket_.get() < 0) return;
    const std::string bytes = notice.SerializeAsString();
    // What does not fit is learnt from the next answer to `children`.
    [[maybe_unused]] const ssize_t sent =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  void serve_coredinator() {
    std::array<char, 64 * 1024> bytes;
    while (socket_.get() >= 0) {
      const ssize_t size = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (size == 0) return socket_.reset();
      if (size < 0) return;
      last_request_ = clock_.steady();
      v1::KeeperRequest request;
      if (request.ParseFromArray(bytes.data(), static_cast<int>(size))) serve(request);
    }
  }

  void serve(const v1::KeeperRequest& request) {
    switch (request.request_case()) {
      case v1::KeeperRequest::kSpawn:
        return spawn_role(request.spawn().role());
      case v1::KeeperRequest::kStop:
        return stop_role(request.stop());
      case v1::KeeperRequest::kChildren:
        return list_children();
      case v1::KeeperRequest::kShutdown:
        return shut_down(request.shutdown());
      case v1::KeeperRequest::kStatus:
        return pass_status(request.status());
      case v1::KeeperRequest::kSettings:
        return take(request.settings());
      case v1::KeeperRequest::REQUEST_NOT_SET:
        return;
    }
  }

  void shut_down(const v1::ShutdownRequest& request) {
    if (stopping_) return;
    summary_.restart = request.restart();
    summary_.ready_within_s = request.ready_within_s();
    if (request.grace_s() > 0.0) grace_ = from_seconds(request.grace_s());
    begin_stop(request.reason(), request.failed());
  }

  void pass_status(const v1::StatusRequest& status) {
    if (stopping_) return;
    if (status.ready()) manager_.ready();
    summary_.ready = summary_.ready || status.ready();
    manager_.status(status.text());
  }

  void take(const v1::KeeperSettings& settings) {
    LogLimits limits = logs_.limits();
    if (settings.logs_age_s() > 0.0) limits.age = from_seconds(settings.logs_age_s());
    if (settings.logs_bytes_max() > 0) limits.bytes_max = settings.logs_bytes_max();
    if (settings.has_free_bytes_min()) limits.free_bytes_min = settings.free_bytes_min();
    logs_.set(limits);
    if (const auto level = log::parse_level(settings.level())) forward_.set_level(*level);
  }

  void turn_logs() {
    std::set<std::string> written;
    for (const Child& child : children_) written.insert(child.name);
    logs_.turn(written);
  }

  static Program program_of(const v1::RoleSpec& role) {
    Program program;
    program.command.assign(role.command().begin(), role.command().end());
    program.environment.assign(role.environment().begin(), role.environment().end());
    program.nice = role.nice();
    program.oom_score_adjust = role.oom_score_adjust();
    return program;
  }

  std::string refusal(const v1::RoleSpec& role) {
    if (stopping_) return "everything stops";
    if (role.name().empty() || role.command().empty()) return "no name or no command";
    if (find(role.name()) != nullptr) return "it runs already";
    return {};
  }

  void spawn_role(const v1::RoleSpec& role) {
    std::string reason = refusal(role);
    if (reason.empty()) {
      if (auto started = start(role.name(), role.order(), role.once(), program_of(role)); !started)
        reason = started.error().message;
    }
    v1::KeeperNotice notice;
    if (reason.empty()) {
      describe(children_.back(), *notice.mutable_started());
    } else {
      notice.mutable_refused()->set_name(role.name());
      notice.mutable_refused()->set_reason(reason);
    }
    tell(notice);
  }

  void stop_role(const v1::StopRequest& request) {
    Child* child = find(request.name());
    if (child == nullptr) return;
    if (request.grace_s() > 0) return ask_to_stop(*child, from_seconds(request.grace_s()));
    ::kill(-child->process.pid, SIGKILL);
  }

  void list_children() {
    v1::KeeperNotice notice;
    auto* list = notice.mutable_children();
    for (const Child& child : children_)
      if (child.name != kCoredinator) describe(child, *list->add_children());
    const LogFolder::Figures& figures = logs_.figures();
    list->mutable_logs()->set_bytes(figures.bytes);
    list->mutable_logs()->set_removed_files(figures.removed_files);
    list->mutable_logs()->set_removed_bytes(figures.removed_bytes);
    list->mutable_logs()->set_free_bytes(figures.free_bytes);
    list->mutable_logs()->set_free_bytes_min(figures.free_bytes_min);
    tell(notice);
  }

  static void describe(const Child& child, v1::ChildStarted& out) {
    out.set_name(child.name);
    out.set_pid(child.process.pid);
    out.set_started_unix_ns(child.started.time_since_epoch().count());
  }

  // --- children

  void read_output(Child& child) {
    const auto forward = [&](std::string_view line) { forward_.line(child.name, line); };
    std::array<char, 16 * 1024> bytes;
    ssize_t size = 0;
    while (child.process.output >= 0 && (size = ::read(child.process.output, bytes.data(), bytes.size())) > 0)
      child.log->feed({bytes.data(), static_cast<std::size_t>(size)}, forward);
    if (size < 0 || child.process.output < 0) return;
    child.log->finish(forward);
    ::close(child.process.output);
    child.process.output = -1;
  }

  void reap() {
    while (true) {
      siginfo_t info{};
      if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
      const auto found =
          std::ranges::find(children_, info.si_pid, [](const Child& child) { return child.process.pid; });
      // While the dead one is not waited for, its group's number is not anybody else's.
      if (found != children_.end()) ::kill(-info.si_pid, SIGKILL);
      int status = 0;
      ::waitpid(info.si_pid, &status, 0);
      if (found != children_.end()) exited(found, status);
    }
  }

  void exited(std::vector<Child>::iterator position, int status) {
    read_output(*position);
    Child child = std::move(*position);
    children_.erase(position);
    child.log->finish([&](std::string_view line) { forward_.line(child.name, line); });
    if (child.process.output >= 0) ::close(child.process.output);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    summary_.roles[child.name].end = describe_end(code, signal);
    const bool expected = stopping_ || child.kill_at || (child.once && WIFEXITED(status) && code == 0);
    forward_.say(expected ? "INFO" : "WARNING", child.name + " ended: " + describe_end(code, signal));
    if (child.name == kCoredinator) return coredinator_exited(child, code);
    v1::KeeperNotice notice;
    auto* gone = notice.mutable_exited();
    gone->set_name(child.name);
    gone->set_pid(child.process.pid);
    gone->set_exit_code(code);
    gone->set_signal(signal);
    tell(notice);
  }

  // For whoever finds no coredinator to ask: what hangs is not waited for.
  void start_again() {
    if (stopping_) return;
    summary_.restart = true;
    grace_ = std::min<Duration>(grace_, 1s);
    begin_stop("told by a signal to start again", false);
  }

  void read_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
      if (info.ssi_signo == SIGCHLD) continue;
      if (info.ssi_signo == SIGUSR1) {
        start_again();
        continue;
      }
      if (stopping_) {
        forward_.say("WARNING", "told twice to stop: everything is killed");
        kill_everything();
      }
      summary_.restart = false;  // whoever sends a signal wants us gone
      begin_stop("signal " + std::to_string(info.ssi_signo), false);
    }
    reap();
  }

  void wait() {
    polls_.clear();
    polls_.push_back({signals_.get(), POLLIN, 0});
    polls_.push_back({socket_.get(), POLLIN, 0});  // negative numbers are skipped
    for (const Child& child : children_) polls_.push_back({child.process.output, POLLIN, 0});
    const bool hurry = stopping_ || find(kCoredinator) == nullptr ||
                       std::ranges::any_of(children_, [](const Child& child) { return child.kill_at.has_value(); });
    std::chrono::milliseconds patience = hurry ? kTick : 1000ms;
    if (manager_.watchdog())
      patience = std::min(patience, std::chrono::floor<std::chrono::milliseconds>(*manager_.watchdog() / 2));
    ::poll(polls_.data(), polls_.size(), static_cast<int>(patience.count()));
    for (std::size_t i = 0; i < children_.size(); ++i)
      if (polls_[i + 2].revents != 0) read_output(children_[i]);
    if (polls_[1].revents != 0) serve_coredinator();
    if (polls_[0].revents != 0) read_signals();
  }

  const Options& options_;
  const std::filesystem::path log_folder_;
  WallClock clock_;
  Forward forward_;
  LogFolder logs_;
  ServiceManager manager_;
  Descriptor signals_, socket_;
  std::vector<Child> children_;
  std::vector<pollfd> polls_;
  Backoff backoff_{100ms, 5s};
  Duration restart_at_{}, last_request_{};
  const Duration begun_ = clock_.steady();
  Duration grace_ = options_.grace;
  bool stopping_ = false;
  Summary summary_;
};

}  // namespace

Result<Summary> run(const Options& options) { return Keeper(options).run(); }

}  // namespace rltune::keeper
