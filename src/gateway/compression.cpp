#include "compression.hpp"

#include <zlib.h>

#include "accept_encoding.hpp"
#include "rltune/base/check.hpp"
#include "visit.hpp"

namespace rltune::gateway {
namespace {

constexpr int kGzip = 15 + 16, kMemory = 8, kFast = 1, kSmall = 9;

// Keeps its 260 KiB from one answer to the next: to make them anew costs as much again as an answer of 10 KiB.
class Packer {
 public:
  explicit Packer(int level) {
    RLTUNE_CHECK(deflateInit2(&stream_, level, Z_DEFLATED, kGzip, kMemory, Z_DEFAULT_STRATEGY) == Z_OK);
  }
  ~Packer() { deflateEnd(&stream_); }
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;

  std::string pack(std::string_view bytes) {
    RLTUNE_CHECK(deflateReset(&stream_) == Z_OK);
    std::string out(deflateBound(&stream_, bytes.size()), '\0');
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    RLTUNE_CHECK(deflate(&stream_, Z_FINISH) == Z_STREAM_END);
    out.resize(stream_.total_out);
    return out;
  }

 private:
  z_stream stream_{};
};

}  // namespace

std::string packed(std::string_view bytes) {
  thread_local Packer packer(kFast);
  return packer.pack(bytes);
}

bool may_be_packed(const api::Operation& operation) {
  return operation.method == "GET" && operation.permission != api::Permission::open &&
         operation.permission != api::Permission::account;
}

KeptBody::KeptBody(std::string body, bool worth_trying) : whole_(std::move(body)) {
  if (!worth_trying || whole_.size() < kWorthPacking) return;
  packed_ = Packer(kSmall).pack(whole_);
  if (packed_.size() > whole_.size() / 10 * 9) packed_.clear();
}

bool KeptBody::put(const webserver::Request& request, webserver::Response& response) const {
  if (!packed_.empty()) vary(response, "Accept-Encoding");
  const bool takes = !packed_.empty() && takes_gzip(header_of(request, "accept-encoding"));
  response.body = takes ? packed_ : whole_;
  if (takes) response.headers["Content-Encoding"] = "gzip";
  return takes;
}

}  // namespace rltune::gateway
