// Where spans go: a collector, or a file. Internal.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"
#include "rltune/base/trace.hpp"
#include "rltune/config/telemetry.hpp"

namespace rltune::tracing {

// Whose spans they are.
struct Origin {
  std::string site, role;
};

class Sink {
 public:
  virtual ~Sink() = default;
  // All of them, or an error. Errors: invalid_argument: they were refused and always will be; any other: again later.
  virtual Result<> send(std::span<const trace::Record> spans, Duration timeout) = 0;
  // From any thread: a sending that is under way, and every later one, fails at once.
  virtual void give_up() noexcept {}
};

// OTLP over HTTP, Protocol Buffers.
std::unique_ptr<Sink> make_http_sink(const std::string& url, const Origin& origin);
// <folder>/<role>.jsonl in OTLP's JSON, a sending a line; at half of `bytes_max` it becomes <role>.jsonl.1.
std::unique_ptr<Sink> make_file_sink(const std::filesystem::path& folder, std::uint64_t bytes_max,
                                     const Origin& origin);

}  // namespace rltune::tracing
