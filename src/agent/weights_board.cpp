#include "weights_board.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>

#include "rltune/base/sha256.hpp"

namespace rltune::agent {
namespace {

constexpr std::uint64_t kMagic = 0x3130647261'6f6257ULL;  // "Wboard01", little endian
constexpr std::size_t kBytesMax = 8 * 1024 * 1024;
constexpr std::size_t kHashCharacters = 64;

using Hash = std::array<char, kHashCharacters>;

void store(Hash& hash, std::string_view text) noexcept {
  hash.fill('\0');
  std::memcpy(hash.data(), text.data(), std::min(text.size(), hash.size()));
}

std::string text_of(const Hash& hash) { return {hash.data(), ::strnlen(hash.data(), hash.size())}; }

}  // namespace

struct WeightsBoard::Map {
  std::uint64_t magic;
  std::atomic<std::uint64_t> sequence;         // odd while the learner writes
  std::atomic<std::uint64_t> acting_sequence;  // odd while the agent writes
  Hash acting;
  Hash hash;
  ShadowReport shadow;
  std::uint64_t size;
  char bytes[kBytesMax];
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

std::filesystem::path WeightsBoard::path_in(const std::filesystem::path& run_folder, const std::string& agent) {
  return run_folder / ("learner." + agent + ".board");
}

Result<WeightsBoard> WeightsBoard::open(const std::filesystem::path& file) {
  const auto failed = [&](const char* what) {
    return fail(Errc::io, std::string("cannot ") + what + " " + file.string() + ": " + std::strerror(errno));
  };
  std::error_code ignored;
  std::filesystem::create_directories(file.parent_path(), ignored);
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return failed("open");
  // Grown, never cut: the other side may have it mapped.
  struct stat status{};
  const bool sized = ::fstat(descriptor, &status) == 0 &&
                     (status.st_size >= static_cast<off_t>(sizeof(Map)) || ::ftruncate(descriptor, sizeof(Map)) == 0);
  void* mapped = sized ? ::mmap(nullptr, sizeof(Map), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0) : MAP_FAILED;
  ::close(descriptor);
  if (mapped == MAP_FAILED) return failed("map");
  Map* map = static_cast<Map*>(mapped);
  if (map->magic == 0) map->magic = kMagic;
  WeightsBoard board(map);
  if (map->magic != kMagic) return fail(Errc::mismatch, file.string() + " is of another version; remove it");
  return board;
}

WeightsBoard::~WeightsBoard() {
  if (map_ != nullptr) ::munmap(map_, sizeof(Map));
}

bool WeightsBoard::publish(std::string_view onnx, std::string_view sha, const ShadowReport& shadow) noexcept {
  if (onnx.size() > kBytesMax) return false;
  const std::uint64_t writing = map_->sequence.load(std::memory_order_relaxed) | 1U;
  map_->sequence.store(writing, std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  store(map_->hash, sha);
  map_->shadow = shadow;
  map_->size = onnx.size();
  std::memcpy(map_->bytes, onnx.data(), onnx.size());
  map_->sequence.store(writing + 1, std::memory_order_release);
  return true;
}

std::optional<Candidate> WeightsBoard::take() {
  const std::uint64_t before = map_->sequence.load(std::memory_order_acquire);
  if (before == seen_ || before % 2 != 0) return std::nullopt;
  Candidate candidate;
  candidate.sequence = before;
  candidate.sha256 = text_of(map_->hash);
  candidate.shadow = map_->shadow;
  candidate.onnx.assign(map_->bytes, std::min<std::uint64_t>(map_->size, kBytesMax));
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (map_->sequence.load(std::memory_order_relaxed) != before) return std::nullopt;  // overwritten meanwhile
  seen_ = before;
  if (sha256(candidate.onnx) != candidate.sha256) return std::nullopt;
  return candidate;
}

void WeightsBoard::set_acting(std::string_view sha) noexcept {
  const std::uint64_t writing = map_->acting_sequence.load(std::memory_order_relaxed) | 1U;
  map_->acting_sequence.store(writing, std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  store(map_->acting, sha);
  map_->acting_sequence.store(writing + 1, std::memory_order_release);
}

std::string WeightsBoard::acting() const {
  const std::uint64_t before = map_->acting_sequence.load(std::memory_order_acquire);
  const std::string text = text_of(map_->acting);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return before % 2 == 0 && map_->acting_sequence.load(std::memory_order_relaxed) == before ? text : std::string();
}

}  // namespace rltune::agent
