#include "segment_index.hpp"

#include <algorithm>

#include "entry_text.hpp"
#include "numbers.hpp"
#include "rltune/base/crc32c.hpp"

namespace rltune::telemetry {
namespace {

constexpr std::string_view kIndexMagic = "RLTIDX1\n";
constexpr std::uint64_t kBlockBytes = std::uint64_t{64} << 10U, kOtherServices = std::uint64_t{1} << kServicesMax;
constexpr std::size_t kBitsAnId = 10, kBitsSet = 7, kFilterBytesMax = 65'535;

// What is left of bytes that are taken from the front; false once there were too few.
class Taker {
 public:
  explicit Taker(std::string_view bytes) : bytes_(bytes) {}
  template <typename Number>
  bool take(Number& number) noexcept {
    if (bytes_.size() < sizeof number) return false;
    number = number_at<Number>(bytes_, 0);
    bytes_.remove_prefix(sizeof number);
    return true;
  }
  bool take(std::string& text, std::size_t length) {
    if (bytes_.size() < length) return false;
    text = bytes_.substr(0, length);
    bytes_.remove_prefix(length);
    return true;
  }
  bool empty() const noexcept { return bytes_.empty(); }

 private:
  std::string_view bytes_;
};

// The finalizer of splitmix64 (Steele, Lea & Flood 2014, doi 10.1145/2660193.2660195).
std::uint64_t mixed(std::uint64_t bits) noexcept {
  bits = (bits ^ (bits >> 30U)) * 0xBF58476D1CE4E5B9U;
  bits = (bits ^ (bits >> 27U)) * 0x94D049BB133111EBU;
  return bits ^ (bits >> 31U);
}

std::uint64_t bit_at(const IdHash& id, std::size_t i, std::size_t filter_bytes) noexcept {
  return (id.a + i * id.b) % (filter_bytes * 8);
}

std::string filter_of(const std::vector<IdHash>& ids) {
  std::string filter(std::min((ids.size() * kBitsAnId + 7) / 8, kFilterBytesMax), '\0');
  for (const IdHash& id : ids)
    for (std::size_t i = 0; i < kBitsSet; ++i) {
      const std::uint64_t bit = bit_at(id, i, filter.size());
      filter[bit / 8] = static_cast<char>(static_cast<unsigned char>(filter[bit / 8]) | (1U << (bit % 8)));
    }
  return filter;
}

bool take_block(Taker& taker, IndexBlock& block) {
  std::uint16_t length = 0;
  return taker.take(block.offset) && taker.take(block.first) && taker.take(block.times.first_ns) &&
         taker.take(block.times.last_ns) && taker.take(block.services) && taker.take(block.levels) &&
         taker.take(length) && taker.take(block.ids, length);
}

}  // namespace

IdHash::IdHash(std::string_view id) noexcept {
  const std::uint64_t bits = mixed(crc32c(id));
  a = bits & 0xFFFFFFFFU;
  b = (bits >> 32U) | 1U;
}

bool IndexBlock::may_have(const IdHash& id) const noexcept {
  if (ids.empty()) return false;
  for (std::size_t i = 0; i < kBitsSet; ++i) {
    const std::uint64_t bit = bit_at(id, i, ids.size());
    if ((static_cast<unsigned char>(ids[bit / 8]) & (1U << (bit % 8))) == 0) return false;
  }
  return true;
}

std::uint64_t SegmentIndex::bits_of(std::string_view service) const noexcept {
  const auto at = std::ranges::find(services, service);
  if (at != services.end()) return std::uint64_t{1} << static_cast<unsigned>(at - services.begin());
  return services.size() == kServicesMax ? kOtherServices : 0;
}

std::string encode_index(const SegmentIndex& index) {
  std::string body;
  put_number(body, static_cast<std::uint16_t>(index.services.size()));
  for (const std::string& service : index.services) {
    put_number(body, static_cast<std::uint8_t>(service.size()));
    body += service;
  }
  for (const IndexBlock& block : index.blocks) {
    put_number(body, block.offset);
    put_number(body, block.first);
    put_number(body, block.times.first_ns);
    put_number(body, block.times.last_ns);
    put_number(body, block.services);
    put_number(body, block.levels);
    put_number(body, static_cast<std::uint16_t>(block.ids.size()));
    body += block.ids;
  }
  std::string bytes(kIndexMagic);
  put_number(bytes, index.salt);
  put_number(bytes, index.number);
  put_number(bytes, index.bytes);
  put_number(bytes, index.times.first_ns);
  put_number(bytes, index.times.last_ns);
  put_number(bytes, static_cast<std::uint32_t>(body.size()));
  put_number(bytes, crc32c(bytes));
  bytes += body;
  put_number(bytes, crc32c(body));
  return bytes;
}

std::optional<IndexHead> decode_index_head(std::string_view bytes) {
  if (bytes.size() < kIndexHeadBytes || !bytes.starts_with(kIndexMagic)) return std::nullopt;
  IndexHead head;
  std::uint32_t checksum = 0;
  Taker taker(bytes.substr(kIndexMagic.size()));
  if (!taker.take(head.salt) || !taker.take(head.number) || !taker.take(head.bytes) ||
      !taker.take(head.times.first_ns) || !taker.take(head.times.last_ns) || !taker.take(head.body_bytes) ||
      !taker.take(checksum) || checksum != crc32c(bytes.substr(0, kIndexHeadBytes - sizeof checksum)))
    return std::nullopt;
  return head;
}

std::optional<SegmentIndex> decode_index(std::string_view bytes) {
  const auto head = decode_index_head(bytes);
  if (!head || bytes.size() != kIndexHeadBytes + std::uint64_t{head->body_bytes} + sizeof(std::uint32_t))
    return std::nullopt;
  const std::string_view body = bytes.substr(kIndexHeadBytes, head->body_bytes);
  if (number_at<std::uint32_t>(bytes, kIndexHeadBytes + body.size()) != crc32c(body)) return std::nullopt;
  SegmentIndex index{.salt = head->salt, .number = head->number, .bytes = head->bytes, .times = head->times};
  Taker taker(body);
  std::uint16_t services = 0;
  if (!taker.take(services) || services > kServicesMax) return std::nullopt;
  for (; services > 0; --services) {
    std::uint8_t length = 0;
    if (!taker.take(length) || !taker.take(index.services.emplace_back(), length)) return std::nullopt;
  }
  while (!taker.empty()) {
    IndexBlock& block = index.blocks.emplace_back();
    if (!take_block(taker, block)) return std::nullopt;
    if (block.offset < kFramesAt || (index.blocks.size() > 1 && block.offset <= (&block)[-1].offset))
      return std::nullopt;
  }
  return index;
}

IndexBuilder::IndexBuilder(const SegmentHeader& header) {
  index_.salt = header.salt;
  index_.number = header.number;
}

void IndexBuilder::add(std::uint64_t offset, const Frame& frame) {
  if (index_.blocks.empty() || offset - index_.blocks.back().offset >= kBlockBytes) {
    close_block();
    ids_.clear();
    index_.blocks.push_back({.offset = offset, .first = frame.sequence});
  }
  open_ = true;
  const auto entry = read_entry(frame.payload);
  if (!entry) return;
  const auto time = entry_time(entry->timestamp);
  const auto level = entry_level(entry->level);
  if (!time || !level) return;
  IndexBlock& block = index_.blocks.back();
  block.times.add(*time);
  index_.times.add(*time);
  block.levels = static_cast<std::uint8_t>(block.levels | (1U << static_cast<unsigned>(*level)));
  block.services |= bit_of(entry->service);
  if (!entry->correlation_id.empty()) ids_.emplace_back(entry->correlation_id);
}

std::uint64_t IndexBuilder::bit_of(std::string_view service) {
  const std::uint64_t known = index_.bits_of(service);
  if (known != 0) return known;
  index_.services.emplace_back(service);
  return index_.bits_of(service);
}

void IndexBuilder::close_block() {
  if (!open_) return;
  open_ = false;
  std::ranges::sort(ids_, {}, [](const IdHash& id) { return std::pair(id.a, id.b); });
  const auto twice =
      std::ranges::unique(ids_, [](const IdHash& x, const IdHash& y) { return x.a == y.a && x.b == y.b; });
  ids_.erase(twice.begin(), twice.end());
  index_.blocks.back().ids = filter_of(ids_);
}

const SegmentIndex& IndexBuilder::index(std::uint64_t segment_bytes) {
  close_block();
  index_.bytes = segment_bytes;
  return index_;
}

}  // namespace rltune::telemetry
