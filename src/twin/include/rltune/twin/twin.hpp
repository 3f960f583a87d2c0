// A plant's digital twin behind an OPC UA server: what `rltune twin serve` runs, and what tests run in a thread.
//
// Threads: start() and run() belong to one thread; run() is the server.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rltune/base/clock.hpp"
#include "rltune/base/error.hpp"
#include "rltune/env/simulation.hpp"
#include "rltune/twin/tag.hpp"

namespace rltune::twin {

enum class ClockMode : std::uint8_t { wall, plant };

struct Login {
  std::string user;
  std::string password;
};

struct TwinOptions {
  env::SimulationOptions simulation;  // one instance, one start; the task names the plant
  std::uint64_t seed = 1;
  TimePoint start{};  // plant time of step 0

  ClockMode clock = ClockMode::wall;
  double speed = 1.0;                             // plant seconds in a wall second
  Duration shed_after = std::chrono::seconds(5);  // of a silent guard_alive, wall clock; 0: never
  Duration sensor_period{};                       // wall clock: sensors are shown again between steps; 0: not
  bool test_faults = false;                       // adds the tag test_fault
  std::filesystem::path state;                    // the season's journal: a restart goes on from it; empty: none
  std::size_t state_sync = 1;                     // steps between two that also survive a power cut; 0: none does
  std::filesystem::path dcs_file;                 // outputs' modes: "heating_mode: 0"; empty: none

  std::string listen = "127.0.0.1";
  std::uint16_t port = 4840;                 // 0: one that is free
  std::filesystem::path pki;                 // own key and certificate (made when missing), trusted clients
  std::vector<std::filesystem::path> trust;  // client certificates to trust from now on
  Login host;                                // may write set-points and heartbeats
  std::vector<Login> operators;              // may also set modes: the DCS
  bool allow_none = false;
  std::size_t history_values = 20000;  // kept of every tag with history
};

class Twin {
 public:
  // Errors: not_found and invalid_argument (plant, parameters, season), io (port, files), denied (certificate).
  static Result<std::unique_ptr<Twin>> start(const TwinOptions& options, const Clock& clock);
  ~Twin();

  // Serves until `stop` says so; it is asked at least every 50 ms.
  Result<> run(const std::function<bool()>& stop);

  const std::string& url() const noexcept;            // "opc.tcp://127.0.0.1:4840"
  const std::string& namespace_uri() const noexcept;  // of the tags; also the application URI
  std::filesystem::path certificate() const;          // the server's own, for clients to trust
  std::span<const TagSpec> tags() const noexcept;
  std::uint32_t steps_done() const noexcept;
  double sample_period_s() const noexcept;

 private:
  struct State;
  explicit Twin(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rltune::twin
