// Headers that only browsers have reason to send, as a stranger may write them.
#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "accept_encoding.hpp"
#include "if_none_match.hpp"

using namespace rltune::gateway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::string lower = text;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (takes_gzip(text) && !lower.contains("gzip") && !lower.contains('*')) std::abort();
  // What is said last of a coding counts.
  if (!takes_gzip(text + ",gzip,identity;q=0") || takes_gzip(text + ",gzip;q=0")) std::abort();
  const std::string etag = "\"3f2a9c1e\"";
  if (names_etag(text, etag) && !text.contains(etag) && !text.contains('*')) std::abort();
  if (!names_etag(text + ",W/" + etag, etag)) std::abort();
  return 0;
}
