// How one kind of receiver wants a batch, and what its answer says. Internal.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "rltune/config/telemetry.hpp"
#include "rltune/forward/batch.hpp"
#include "rltune/http/client.hpp"

namespace rltune::forward {

struct Encoded {
  std::string body;
  std::string content_type;
  std::vector<http::Header> headers;
  bool may_compress = true;        // gzip, where the sink says so
  std::vector<RecordFault> unfit;  // not in the body: this kind cannot say them
};

// Threads: one.
class Encoding {
 public:
  virtual ~Encoding() = default;
  virtual std::string url(const std::string& configured, const std::string& stream) const {
    (void)stream;
    return configured;
  }
  virtual Encoded encode(const Batch& batch) const = 0;
  // What an answer of 200 to 299 says; every other status means the same everywhere.
  virtual Outcome judge(const Batch& batch, const http::Response& response) const {
    (void)batch, (void)response;
    return {};
  }
};

std::unique_ptr<Encoding> make_gateway_encoding();
std::unique_ptr<Encoding> make_opensearch_encoding(const std::string& index);
std::unique_ptr<Encoding> make_remote_write_encoding();
std::unique_ptr<Encoding> make_influx_encoding();
std::unique_ptr<Encoding> make_otlp_encoding();
// Null: no kind that speaks HTTP.
std::unique_ptr<Encoding> make_encoding(const config::Sink& sink);

// What a status outside 200 to 299 means. `seen`: what of the body may be shown.
Outcome judge_status(const http::Response& response, const std::string& host, const std::string& seen, TimePoint now);

}  // namespace rltune::forward
