// The other side of sites' forwarders: takes batches, keeps what is new, forwards it. A batch is answered with 200 once
// it is durable; whatever comes twice, at the same time or after a restart, is kept once. Files:
// docs/formats/telemetry-receive.md
//
// Threads: everything from any. `reply` is called once, on the caller's thread or the disk's, and must not wait.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/clock.hpp"
#include "rltune/config/telemetry.hpp"
#include "rltune/forward/forwarder.hpp"
#include "rltune/telemetry/buffer.hpp"

namespace rltune::receive {

struct ReceiverOptions {
  std::filesystem::path folder;
  std::string token;                         // what senders show as a bearer token, or as X-Api-Key
  bool token_needed = true;                  // false: who serves lets in nobody whose certificate it does not know
  std::vector<config::Sink> sinks;           // where it goes; every kind but a gateway
  std::filesystem::path sinks_folder;        // what their files are relative to
  std::size_t body_bytes_max = 16UZ << 20U;  // after it was unpacked
  telemetry::Retention retention;
  std::uint64_t free_bytes_min = std::uint64_t{1} << 30U;
  Duration marks_every = std::chrono::seconds(10);
  Duration send_timeout = std::chrono::seconds(30);  // of one request to a sink
};

struct Answer {
  int status = 200;
  std::string body;  // JSON
  std::map<std::string, std::string> headers;
};

struct Counts {
  std::uint64_t batches = 0, records = 0, duplicates = 0, refused = 0, denied = 0;
};

class Receiver {
 public:
  // `clock` outlives it. Errors: io; denied: another process has the folder; unsupported: a sink; invalid_argument: no
  // token.
  static Result<std::unique_ptr<Receiver>> open(ReceiverOptions options, const Clock& clock);
  ~Receiver();
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  // Of a POST; names of headers in lower case, `body` as it came, needed until the function returns.
  // 200 {"accepted":N,"duplicates":N,"refused":[{"id","reason"}]}; 400: no batch; 401: not the token, where there is
  // one; 413: too much; 415: an encoding that is not gzip; 503 with Retry-After: the disk, or the same batch is under
  // way.
  using Reply = std::function<void(Answer)>;
  void take(const std::map<std::string, std::string>& headers, std::string_view body, const Reply& reply);

  // What it can do now; empty: all is well.
  std::string trouble() const;
  Counts counts() const;
  struct SinkFigures {
    std::string sink, stream;
    forward::Figures figures;
  };
  std::vector<SinkFigures> sinks() const;

 private:
  struct State;
  explicit Receiver(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rltune::receive
