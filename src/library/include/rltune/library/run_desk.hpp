// The training runs that lie below some folders, as others ask for them, while somebody may train in them.
//
// Threads: belongs to the thread of the server that it is added to. Every question reads the folders anew.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/v1/library.pb.h"

namespace rltune::library {

inline constexpr std::uintmax_t kFiguresBytesMax = 256U << 20U;  // of the file of one run's figures

class RunDesk {
 public:
  // A run's name begins with its root's: "runs~pendulum". Roots may be missing.
  explicit RunDesk(std::vector<std::filesystem::path> roots) : roots_(std::move(roots)) {}

  void add_to(bus::Server& server);
  // In pages, by name. A run that cannot be read is told with what is wrong.
  void list(const v1::RunsRequest& request, v1::RunsAnswer& answer) const;
  // Errors: not_found; parse; unsupported (more figures than kFiguresBytesMax); io.
  Result<> tell(const v1::RunRequest& request, v1::RunAnswer& answer) const;
  Result<> curves(const v1::RunFiguresRequest& request, v1::RunFiguresAnswer& answer) const;

 private:
  struct Place {
    std::string name;
    std::filesystem::path folder;
  };
  std::vector<Place> places() const;
  Result<Place> find(const std::string& name) const;

  std::vector<std::filesystem::path> roots_;
};

}  // namespace rltune::library
