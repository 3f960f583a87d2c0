// parallel_for: every index once, over a few threads; what a call does must not depend on which thread runs it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace rltune::evaluation {

// Calls body(worker, index) for every index below `count`; workers are numbered from 0. `workers` 0: one a processor.
template <typename Body>
void parallel_for(std::size_t count, unsigned workers, const Body& body) {
  if (workers == 0) workers = std::max(1U, std::thread::hardware_concurrency());
  workers = static_cast<unsigned>(std::min<std::size_t>(workers, count));
  std::atomic<std::size_t> next{0};
  const auto work = [&](unsigned worker) {
    for (std::size_t index = next++; index < count; index = next++) body(worker, index);
  };
  std::vector<std::jthread> threads;
  for (unsigned worker = 1; worker < workers; ++worker) threads.emplace_back(work, worker);
  if (count > 0) work(0);
}

}  // namespace rltune::evaluation
