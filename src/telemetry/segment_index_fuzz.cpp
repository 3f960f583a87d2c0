// Outside bytes as an index: what is taken says the same when it is written again. And as the body of one whose
// checksums are right, so that they reach what stands behind these.
#include <cstdlib>
#include <cstring>

#include "rltune/base/crc32c.hpp"
#include "segment_index.hpp"

namespace {

void put(std::string& to, std::uint32_t number) { to.append(reinterpret_cast<const char*>(&number), sizeof number); }

void expect_same(const std::string& bytes) {
  using namespace rltune::telemetry;
  (void)decode_index_head(bytes);
  const auto index = decode_index(bytes);
  if (!index) return;
  for (const IndexBlock& block : index->blocks) (void)block.may_have(IdHash("abc"));
  (void)index->bits_of("agent");
  if (decode_index(encode_index(*index)) != index) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string body(reinterpret_cast<const char*>(data), size);
  expect_same(body);
  std::string whole = "RLTIDX1\n" + std::string(40, '\1');
  put(whole, static_cast<std::uint32_t>(size));
  put(whole, rltune::crc32c(whole));
  whole += body;
  put(whole, rltune::crc32c(body));
  expect_same(whole);
  return 0;
}
