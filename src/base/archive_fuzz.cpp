// Outside bytes as a checkpoint. The seal is made here, so that the bytes reach what stands behind it.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <format>
#include <string>
#include <vector>

#include "rltune/base/archive.hpp"
#include "rltune/base/sha256.hpp"

namespace {

// Bytes as a file that no disk sees.
class Sealed {
 public:
  explicit Sealed(std::string text) {
    text += rltune::sha256(text);
    if (::write(file_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
  }
  ~Sealed() { ::close(file_); }
  std::string path() const { return std::format("/proc/self/fd/{}", file_); }

 private:
  int file_ = ::memfd_create("archive", MFD_CLOEXEC);
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string name("\x04\0\0\0\0\0\0\0fuzz", 12);
  const Sealed unnamed("RLTUNE-ARCHIVE-1\n" + std::string(bytes));
  (void)Archive::read(unnamed.path(), "fuzz");  // the bytes as the format's name

  const Sealed named("RLTUNE-ARCHIVE-1\n" + name + std::string(bytes));
  auto archive = Archive::read(named.path(), "fuzz");
  if (!archive) std::abort();
  std::string text;
  std::vector<double> numbers;
  std::vector<float> table(3);
  Random random{1};
  for (int turn = 0; turn < 4; ++turn) {
    archive->resized(numbers);
    archive->values(std::span(table));
    archive->random(random);
    archive->text(text);
    (void)random.normal();
  }
  if (text.size() + numbers.size() * sizeof(double) > size) std::abort();
  (void)archive->result();
  return 0;
}
