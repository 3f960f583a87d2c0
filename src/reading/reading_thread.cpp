#include "rltune/reading/reading_thread.hpp"

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <thread>

#include "rltune/base/descriptor.hpp"
#include "rltune/base/scheduling.hpp"

namespace rltune::reading {
namespace {

constexpr int kNice = 10;
constexpr auto kTurn = std::chrono::minutes(1);

}  // namespace

std::string reading_target(std::string_view role) { return std::string(role) + ".records"; }

struct ReadingThread::State {
  explicit State(bus::Server bound) : server(std::move(bound)) {}

  void run(const std::stop_token& stop) {
    (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
    while (!stop.stop_requested()) server.serve(kTurn, wake.get());
  }

  bus::Server server;
  Descriptor wake{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  std::jthread thread;
};

Result<ReadingThread> ReadingThread::start(const std::string& run_folder, std::string_view role,
                                           const std::function<void(bus::Server&)>& add) {
  auto server = bus::Server::bind(bus::call_endpoint(run_folder, reading_target(role)));
  if (!server) return std::unexpected(server.error());
  add(*server);
  auto state = std::make_unique<State>(std::move(*server));
  const OrdinaryThreads while_starting;
  state->thread = std::jthread([raw = state.get()](const std::stop_token& stop) { raw->run(stop); });
  return ReadingThread(std::move(state));
}

ReadingThread::ReadingThread(std::unique_ptr<State> state) : state_(std::move(state)) {}
ReadingThread::~ReadingThread() {
  if (!state_) return;
  state_->thread.request_stop();
  ::eventfd_write(state_->wake.get(), 1);
  state_->thread.join();
}
ReadingThread::ReadingThread(ReadingThread&&) noexcept = default;

}  // namespace rltune::reading
