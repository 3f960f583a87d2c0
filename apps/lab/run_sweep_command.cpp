// rltune run sweep: one training a point and seed, each a process of its own, as many at once as there are cores.
//
// A training knows nothing of the others, so its bits do not depend on how many run at once; one that was cut short
// continues when the same command is given again, and one that has ended is left alone.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <format>
#include <memory>
#include <nlohmann/json.hpp>
#include <print>
#include <thread>

#include "rltune/base/file.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/runs/sweep.hpp"
#include "run_commands.hpp"
#include "train_options.hpp"

namespace rltune::lab {
namespace {

using nlohmann::ordered_json;

struct SweepOptions {
  std::string out, metric = "eval/mean_reward";
  std::vector<std::string> vary, train;
  std::size_t seeds = 3, random = 0, workers = 0;
  std::uint64_t first_seed = 1;
  bool one_by_one = false, json = false;
};

struct Job {
  std::filesystem::path folder;
  std::vector<std::string> arguments;
  pid_t pid = -1;
  int status = -1;  // exit status; -1: not yet
};

std::vector<runs::Point> points_of(const SweepOptions& options) {
  std::vector<runs::Axis> axes;
  for (const std::string& text : options.vary) axes.push_back(or_stop(runs::parse_axis(text)));
  if (options.random > 0) return runs::random_points(axes, options.random, options.first_seed);
  return or_stop(options.one_by_one ? runs::one_by_one(axes) : runs::grid(axes));
}

std::vector<Job> jobs_of(const SweepOptions& options) {
  std::vector<Job> jobs;
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  for (const runs::Point& point : points_of(options))
    for (std::size_t s = 0; s < options.seeds; ++s) {
      const std::string seed = std::format("{}", options.first_seed + s);
      Job job{.folder = std::filesystem::path(options.out) / runs::folder_name(point) / ("seed-" + seed)};
      job.arguments = {self, "policy", "train"};
      job.arguments.insert(job.arguments.end(), options.train.begin(), options.train.end());
      for (const auto& [name, value] : point)
        job.arguments.insert(job.arguments.end(), {"--hyper", name + "=" + value});
      job.arguments.insert(job.arguments.end(),
                           {"--seed", seed, "--threads", "1", "--out", job.folder.string(), "--json"});
      jobs.push_back(std::move(job));
    }
  return jobs;
}

// What 'rltune policy train' would refuse of every training is said once and at once, not in a log a training.
void check_training(const SweepOptions& options) {
  for (const char* ours : {"--seed", "--out", "--threads"})
    for (const std::string& argument : options.train)
      if (argument == ours || argument.starts_with(std::string(ours) + "="))
        stop(kWrongUsage, std::format("{} after -- is the sweep's to set: give --out, --seeds and --first-seed before "
                                      "the --",
                                      ours));
  CLI::App train{"", "rltune policy train"};
  TrainOptions parsed;
  add_train_options(train, parsed);
  std::vector<std::string> arguments{options.out, "--out"};  // CLI11 takes them from the back
  arguments.insert(arguments.end(), options.train.rbegin(), options.train.rend());
  try {
    train.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    stop(kWrongUsage, std::format("what follows -- goes to 'rltune policy train', which refuses it: {}", error.what()));
  }
  hyperparameters_of(parsed, task_name(parsed));
}

// A policy was written: nothing is left to do.
bool ended(const Job& job) { return std::filesystem::exists(job.folder / "manifest.yaml"); }

// Its output goes to train.log in its folder. It dies with us: nobody would look after it.
void start(Job& job) {
  std::filesystem::create_directories(job.folder);
  const std::string log = (job.folder / "train.log").string();
  std::vector<char*> arguments;
  for (std::string& argument : job.arguments) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  job.pid = ::fork();
  if (job.pid < 0) stop(kFailed, "cannot start another process");
  if (job.pid > 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  ::setpgid(0, 0);  // a terminal's interrupt reaches us alone; we pass it on
  const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  ::dup2(file, STDOUT_FILENO);
  ::dup2(file, STDERR_FILENO);
  ::execv(arguments.front(), arguments.data());
  ::_exit(127);
}

std::string state_text(const Job& job) {
  if (const auto state = runs::read_state(job.folder)) {
    const double done = 100.0 * static_cast<double>(state->step) /
                        static_cast<double>(std::max<std::uint64_t>(1, state->steps_planned));
    const std::string best = state->best_return ? std::format("{:.5g}", *state->best_return) : "-";
    return std::format("{:<11} {:3.0f} %  best {}", runs::to_string(state->status), std::min(100.0, done), best);
  }
  return job.pid > 0 ? "starting" : "waiting";
}

std::string short_name(const SweepOptions& options, const Job& job) {
  return std::filesystem::relative(job.folder, options.out).string();
}

// The table again over the one before; elsewhere than on a terminal a line when a training ends.
void show_table(const SweepOptions& options, const std::vector<Job>& jobs, std::size_t& lines) {
  if (::isatty(STDERR_FILENO) == 0) return;
  std::string text = lines > 0 ? std::format("\x1b[{}A", lines) : "";
  constexpr std::size_t kLines = 30;
  std::size_t shown = 0, done = 0;
  for (const Job& job : jobs) done += job.status == 0;
  for (const Job& job : jobs) {
    const bool active = job.pid > 0 && job.status < 0;
    if (jobs.size() > kLines && !active) continue;
    text += std::format("\x1b[2K{:<48} {}\n", short_name(options, job), state_text(job));
    ++shown;
  }
  text += std::format("\x1b[2K{} of {} ended\n\x1b[J", done, jobs.size());
  lines = shown + 1;
  std::print(stderr, "{}", text);
  std::fflush(stderr);
}

void collect(const SweepOptions& options, std::vector<Job>& jobs, std::size_t& active) {
  for (Job& job : jobs) {
    int status = 0;
    if (job.pid <= 0 || job.status >= 0 || ::waitpid(job.pid, &status, WNOHANG) != job.pid) continue;
    job.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    --active;
    if (::isatty(STDERR_FILENO) == 0)
      std::println(stderr, "{}: {}", short_name(options, job),
                   job.status == 0 ? state_text(job) : std::format("failed, see {}/train.log", job.folder.string()));
  }
}

void run_all(const SweepOptions& options, std::vector<Job>& jobs) {
  const std::size_t workers = options.workers > 0 ? options.workers : std::max(1U, std::thread::hardware_concurrency());
  std::size_t next = 0, active = 0, lines = 0;
  catch_interrupts();
  auto shown = std::chrono::steady_clock::now();
  while (active > 0 || (next < jobs.size() && !interrupted())) {
    while (active < workers && next < jobs.size() && !interrupted()) {
      Job& job = jobs[next++];
      if (ended(job)) {
        job.status = 0;
        continue;
      }
      start(job);
      ++active;
    }
    if (interrupted())
      for (const Job& job : jobs)
        if (job.pid > 0 && job.status < 0) ::kill(job.pid, SIGTERM);  // each writes its checkpoint
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    collect(options, jobs, active);
    if (std::chrono::steady_clock::now() - shown < std::chrono::milliseconds(500) && active > 0) continue;
    shown = std::chrono::steady_clock::now();
    show_table(options, jobs, lines);
  }
}

void sweep(const SweepOptions& options) {
  check_training(options);
  std::vector<Job> jobs = jobs_of(options);
  ordered_json description{
      {"format", "rltune/sweep/v1"}, {"train", options.train},           {"vary", options.vary},
      {"seeds", options.seeds},      {"first_seed", options.first_seed}, {"random", options.random}};
  or_stop(write_file(std::filesystem::path(options.out) / "sweep.json", description.dump(2) + "\n"));
  run_all(options, jobs);
  if (interrupted()) stop(kFailed, "interrupted; the same command continues from there");
  std::vector<runs::Run> good;
  std::string failed;
  for (const Job& job : jobs)
    if (job.status == 0)
      good.push_back(or_stop(runs::read_run(job.folder)));
    else
      failed += (failed.empty() ? "" : ", ") + job.folder.string();
  if (!good.empty()) {
    const ordered_json found =
        comparison_json(figures_of(std::move(good), options.metric), options.metric, runs::Judged::best);
    if (options.json)
      print_json(found);
    else
      std::print("{}", comparison_text(found));
  }
  if (!failed.empty()) stop(kFailed, std::format("these failed, their train.log says why: {}", failed));
}

}  // namespace

void add_run_sweep_command(CLI::App& run) {
  const auto options = std::make_shared<SweepOptions>();
  CLI::App& command = *run.add_subcommand("sweep", "Train over parameters and seeds, on all cores, resumable");
  command.add_option("--out", options->out, "Folder of the sweep: a folder a point, in it a run a seed")
      ->required()
      ->type_name("DIR");
  command
      .add_option("--vary", options->vary,
                  "NAME=VALUE,VALUE,... or, with --random, NAME=LOW..HIGH: a hyperparameter; may be repeated")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command.add_option("--seeds", options->seeds, "Runs of every point")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command.add_option("--first-seed", options->first_seed, "Of those runs, and of random points")->capture_default_str();
  command.add_option("--random", options->random, "Points drawn at random, instead of every combination");
  command.add_flag("--one-by-one", options->one_by_one,
                   "The defaults, then each value alone, instead of every combination");
  command.add_option("--workers", options->workers, "Trainings at once; 0: one a core")->check(CLI::Range(0, 1024));
  command.add_option("--metric", options->metric, "Which figure the closing table compares")->capture_default_str();
  command.add_flag("--json", options->json, "One JSON object on stdout");
  command.add_option("train", options->train, "After --: options of 'rltune policy train'");
  command.footer(
      "The same command again continues what was cut short. Examples:\n"
      "  rltune run sweep --out sweeps/gamma --vary gamma=0.95,0.98,0.99 --seeds 5 -- --environment pendulum "
      "--algorithm sac --steps 10000\n"
      "  rltune run sweep --out sweeps/rates --vary learning_rate=1e-4..1e-2 --random 20 --seeds 1 -- --plant cstr");
  command.allow_extras();  // said here, with what to do
  command.callback([options, &command] {
    std::vector<std::string> unknown = command.remaining();
    std::erase(unknown, "--");
    if (!unknown.empty())
      stop(kWrongUsage,
           std::format("'run sweep' has no {}; the options of 'rltune policy train' come after --", unknown.front()));
    if (options->train.empty()) stop(kWrongUsage, "give what to train after --: -- --environment pendulum");
    sweep(*options);
  });
}

}  // namespace rltune::lab
