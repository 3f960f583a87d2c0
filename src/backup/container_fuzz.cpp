// Outside bytes as a backup, as the messages of one that somebody with the key made, and as a manifest.
#include <sodium.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <cstring>
#include <format>

#include "rltune/backup/container.hpp"

namespace {

using namespace rltune;

const std::string kDigits(64, '7');

// Bytes as a file that no disk sees.
class Memory {
 public:
  explicit Memory(std::string_view bytes) {
    if (::write(file_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) std::abort();
  }
  ~Memory() { ::close(file_); }
  std::string path() const { return std::format("/proc/self/fd/{}", file_); }

 private:
  int file_ = ::memfd_create("backup", MFD_CLOEXEC);
};

unsigned char* raw(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

std::string compressed(std::string_view bytes) {
  std::string out(compressBound(bytes.size()), '\0');
  uLongf size = out.size();
  compress2(raw(out), &size, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), 1);
  return out.substr(0, size);
}

// One whose seals fit, so that the bytes reach what stands behind them.
std::string sealed(const backup::Key& key, std::string content) {
  std::string name(16, '\0'), start(crypto_secretstream_xchacha20poly1305_HEADERBYTES, '\0');
  const std::string text = "rltune/backup/v1";
  crypto_generichash(raw(name), name.size(), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                     key.data(), 32);
  crypto_secretstream_xchacha20poly1305_state stream;
  crypto_secretstream_xchacha20poly1305_init_push(&stream, raw(start), key.data());
  std::string file = std::string("RLTUNE-BACKUP\n\x01\0", 16) + name + start;
  std::string frame(content.size() + crypto_secretstream_xchacha20poly1305_ABYTES, '\0');
  crypto_secretstream_xchacha20poly1305_push(&stream, raw(frame), nullptr, raw(content), content.size(), raw(file),
                                             file.size(), crypto_secretstream_xchacha20poly1305_TAG_FINAL);
  const auto size = static_cast<std::uint32_t>(frame.size());
  file.append(reinterpret_cast<const char*>(&size), sizeof size);
  return file + frame;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto key = backup::Key::parse(kDigits);
  const auto length = static_cast<std::uint32_t>(size);
  const std::string manifest = std::string(reinterpret_cast<const char*>(&length), sizeof length) + bytes;
  if (backup::read_manifest(Memory(bytes).path(), *key)) std::abort();  // nobody guesses a seal
  (void)backup::read_manifest(Memory(sealed(*key, bytes)).path(), *key);
  (void)backup::read_manifest(Memory(sealed(*key, compressed(bytes))).path(), *key);
  (void)backup::read_manifest(Memory(sealed(*key, compressed(manifest))).path(), *key);
  if (const auto parsed = backup::parse_manifest(bytes)) {
    const auto again = backup::parse_manifest(backup::to_text(*parsed));
    if (!again || again->parts.size() != parsed->parts.size()) std::abort();
  }
  return 0;
}
