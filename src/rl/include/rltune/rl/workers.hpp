// Two halves of one job on one or two threads. What is computed does not depend on how many there are:
// work is always cut in kShards shards, each with its own buffers and random numbers.
//
// Threads: run() is called by one thread, the owner.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <type_traits>

namespace rltune::rl {

inline constexpr std::size_t kShards = 2;

class Workers {
 public:
  // With 1 everything runs in the caller; with 2 or more a second thread takes every other shard.
  explicit Workers(std::size_t threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Calls body(0) and body(1), in any order or at once, and returns when both are done.
  template <typename Body>
  void run(Body&& body) {
    run_erased([](void* context, std::size_t shard) { (*static_cast<std::remove_reference_t<Body>*>(context))(shard); },
               &body);
  }

 private:
  using Call = void (*)(void* context, std::size_t shard);
  void run_erased(Call call, void* context);
  void serve();

  Call call_ = nullptr;
  void* context_ = nullptr;
  bool stopping_ = false;
  std::atomic<std::uint32_t> asked_{0};
  std::atomic<std::uint32_t> done_{0};
  std::thread thread_;
};

}  // namespace rltune::rl
