#include "child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <thread>
#include <utility>

namespace rltune::demo {
namespace {

using Clock = std::chrono::steady_clock;

std::chrono::milliseconds left_until(Clock::time_point deadline) {
  return std::max(std::chrono::milliseconds(0),
                  std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()));
}

// In the child: never returns.
[[noreturn]] void become(std::vector<char*>& argv, const Command& command, int stdout_end, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::setpgid(0, 0);  // Ctrl-C is for the parent to handle, which stops its children in order
  ::dup2(stdout_end, STDOUT_FILENO);
  const int log = ::open(command.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log >= 0) ::dup2(log, STDERR_FILENO);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing >= 0) ::dup2(nothing, STDIN_FILENO);
  for (const std::string& entry : command.environment) ::putenv(const_cast<char*>(entry.c_str()));
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

Result<Child> Child::start(const Command& command) {
  std::error_code code;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", code).parent_path();
  std::vector<std::string> words = command.words;
  words[0] = (folder / words[0]).string();
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(Errc::io, std::string("cannot make a pipe: ") + std::strerror(errno));
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(argv, command, ends[1], parent);
  ::close(ends[1]);
  if (pid < 0) {
    ::close(ends[0]);
    return fail(Errc::io, std::string("cannot start a process: ") + std::strerror(errno));
  }
  return Child(pid, ends[0]);
}

Child::Child(Child&& other) noexcept { *this = std::move(other); }

Child& Child::operator=(Child&& other) noexcept {
  if (this == &other) return *this;
  forget();
  pid_ = std::exchange(other.pid_, -1);
  stdout_ = std::exchange(other.stdout_, -1);
  output_ = std::move(other.output_);
  line_start_ = other.line_start_;
  status_ = other.status_;
  return *this;
}

Child::~Child() { forget(); }

void Child::forget() noexcept {
  if (pid_ > 0 && !status_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (stdout_ >= 0) ::close(stdout_);
  pid_ = -1;
  stdout_ = -1;
}

void Child::signal(int number) const noexcept {
  if (pid_ > 0 && !status_) ::kill(pid_, number);
}

bool Child::read(std::chrono::milliseconds patience) {
  pollfd ready{stdout_, POLLIN, 0};
  if (stdout_ < 0) return false;
  if (::poll(&ready, 1, static_cast<int>(patience.count())) <= 0) return true;
  char bytes[8192];
  const ssize_t count = ::read(stdout_, bytes, sizeof bytes);
  if (count <= 0) return false;
  output_.append(bytes, static_cast<std::size_t>(count));
  return true;
}

std::optional<std::string> Child::read_line(std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  while (true) {
    if (const std::size_t end = output_.find('\n', line_start_); end != std::string::npos) {
      std::string line = output_.substr(line_start_, end - line_start_);
      line_start_ = end + 1;
      return line;
    }
    const auto left = left_until(deadline);
    if (left.count() == 0 || !read(left)) return std::nullopt;
  }
}

std::optional<int> Child::wait(std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  while (pid_ > 0 && !status_) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_)
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    else if (Clock::now() >= deadline)
      break;
    else if (!read(std::min(left_until(deadline), std::chrono::milliseconds(10))))
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  while (status_ && stdout_ >= 0 && read(std::chrono::milliseconds(0)) && ::poll(nullptr, 0, 0) == 0) {
    pollfd ready{stdout_, POLLIN, 0};
    if (::poll(&ready, 1, 0) <= 0) break;
  }
  return status_;
}

std::string last_line(const std::filesystem::path& log) {
  std::ifstream file(log, std::ios::binary | std::ios::ate);
  if (!file) return {};
  const std::streamoff size = file.tellg(), wanted = 2048;
  file.seekg(std::max<std::streamoff>(0, size - wanted));
  std::string tail((std::istreambuf_iterator<char>(file)), {}), line, last;
  for (const char letter : tail + "\n") {
    if (letter == '\n' || letter == '\r') {
      if (line.find_first_not_of(' ') != std::string::npos) last = line;
      line.clear();
    } else if (static_cast<unsigned char>(letter) >= 0x20) {
      line += letter;
    }
  }
  return last;
}

}  // namespace rltune::demo
