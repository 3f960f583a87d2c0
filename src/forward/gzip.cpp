#include "rltune/forward/gzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <format>

#include "rltune/base/check.hpp"

namespace rltune::forward {
namespace {

constexpr int kWindowOfGzip = 15 + 16;

Bytef* unsigned_bytes(std::string_view bytes) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
}

}  // namespace

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  RLTUNE_CHECK(deflateInit2(&stream, 6, Z_DEFLATED, kWindowOfGzip, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = unsigned_bytes(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  RLTUNE_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Result<std::string> gunzip(std::string_view bytes, std::size_t bytes_max) {
  z_stream stream{};
  RLTUNE_CHECK(inflateInit2(&stream, kWindowOfGzip) == Z_OK);
  stream.next_in = unsigned_bytes(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  std::array<char, 64UZ << 10U> piece;
  int status = Z_OK;
  while (status == Z_OK && out.size() <= bytes_max) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    status = inflate(&stream, Z_NO_FLUSH);
    out.append(piece.data(), piece.size() - stream.avail_out);
  }
  const bool whole = status == Z_STREAM_END && stream.avail_in == 0;
  inflateEnd(&stream);
  if (out.size() > bytes_max) return fail(Errc::no_space, std::format("more than {} bytes come out", bytes_max));
  if (!whole) return fail(Errc::parse, "it is no gzip, or not a whole one");
  return out;
}

}  // namespace rltune::forward
