// Makes the index of each segment of logs that has ended, in the background. What searches find is the same without it.
//
// Threads: one of its own, which yields to others. Memory: the index of a segment, less than a hundredth of it.
#pragma once

#include <thread>

#include "rltune/telemetry/record_reader.hpp"

namespace rltune::telemetry {

class LogIndexer {
 public:
  // REQUIRES: the records outlive it.
  explicit LogIndexer(RecordReader& records);

 private:
  void run(const std::stop_token& stop);

  RecordReader& records_;
  std::jthread thread_;
};

}  // namespace rltune::telemetry
