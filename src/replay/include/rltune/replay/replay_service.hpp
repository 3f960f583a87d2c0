// Computes recorded decisions again for whoever asks over the bus: "records.Replay".
//
// Threads: belongs to the thread of the server that it is added to.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/v1/history.pb.h"

namespace rltune::replay {

struct ReplaySources {
  std::filesystem::path decisions;              // folder of the decision log
  std::filesystem::path weights;                // that the site learnt
  std::filesystem::path deployed;               // a folder of artifacts; may be missing
  std::vector<std::filesystem::path> policies;  // artifacts beside these
};

class ReplayService {
 public:
  explicit ReplayService(ReplaySources sources) : sources_(std::move(sources)) {}

  void add_to(bus::Server& server);
  // Errors: not_found (no such decision), corrupt, io.
  Result<> replay(const v1::ReplayRequest& request, v1::ReplayAnswer& answer) const;

 private:
  ReplaySources sources_;
};

}  // namespace rltune::replay
