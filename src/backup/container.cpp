#include "rltune/backup/container.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <format>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "rltune/base/check.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/secret.hpp"
#include "rltune/base/sha256_sum.hpp"

namespace rltune::backup {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kMagic = "RLTUNE-BACKUP\n";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kKeyNameBytes = 16;
constexpr std::size_t kHeaderBytes =
    kMagic.size() + sizeof kVersion + kKeyNameBytes + crypto_secretstream_xchacha20poly1305_HEADERBYTES;
constexpr std::size_t kMessageBytes = 1U << 20U;
constexpr std::size_t kFrameBytesMax = kMessageBytes + crypto_secretstream_xchacha20poly1305_ABYTES;
constexpr std::uint32_t kManifestBytesMax = 64U << 20U;
constexpr std::string_view kFormat = "rltune/backup/v1";

const unsigned char* raw(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
unsigned char* raw(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

std::string key_name(const Key& key) { return key.name(kFormat, kKeyNameBytes); }

std::unexpected<Error> damaged(const std::filesystem::path& file, std::string_view what) {
  return fail(Errc::corrupt, std::format("{} is damaged or was changed: {}", file.string(), what));
}

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

std::unexpected<Error> file_error(const char* what, const std::filesystem::path& file) {
  const int code = errno;
  return fail(code == ENOSPC || code == EDQUOT ? Errc::no_space
              : code == ENOENT                 ? Errc::not_found
                                               : Errc::io,
              std::format("cannot {} {}: {}", what, file.string(), std::strerror(code)));
}

// Compresses, encrypts in messages of 1 MiB, writes.
class Packer {
 public:
  Packer(std::filesystem::path path, File file, const Key& key) : path_(std::move(path)), file_(std::move(file)) {
    header_ = std::string(kMagic) + static_cast<char>(kVersion) + '\0' + key_name(key);
    std::string start(crypto_secretstream_xchacha20poly1305_HEADERBYTES, '\0');
    crypto_secretstream_xchacha20poly1305_init_push(&stream_, raw(start), key.data());
    header_ += start;
    RLTUNE_CHECK(deflateInit(&zlib_, Z_BEST_SPEED) == Z_OK);
  }
  ~Packer() { deflateEnd(&zlib_); }
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;

  Result<> begin() { return write(header_); }
  Result<> add(std::string_view bytes) { return deflate_in(bytes, Z_NO_FLUSH); }
  Result<> finish() {
    if (auto done = deflate_in({}, Z_FINISH); !done) return done;
    if (auto done = push(crypto_secretstream_xchacha20poly1305_TAG_FINAL); !done) return done;
    if (std::fflush(file_.get()) != 0 || ::fsync(::fileno(file_.get())) != 0) return file_error("write", path_);
    return {};
  }

 private:
  Result<> deflate_in(std::string_view bytes, int flush) {
    zlib_.next_in = const_cast<unsigned char*>(raw(bytes));
    zlib_.avail_in = static_cast<uInt>(bytes.size());
    int code = Z_OK;
    do {
      // A full message goes out only when more follows: the last one carries another tag.
      if (filled_ == kMessageBytes)
        if (auto done = push(crypto_secretstream_xchacha20poly1305_TAG_MESSAGE); !done) return done;
      zlib_.next_out = raw(message_) + filled_;
      zlib_.avail_out = static_cast<uInt>(kMessageBytes - filled_);
      code = deflate(&zlib_, flush);
      filled_ = kMessageBytes - zlib_.avail_out;
    } while (zlib_.avail_in > 0 || (flush == Z_FINISH && code != Z_STREAM_END));
    return {};
  }

  Result<> push(unsigned char tag) {
    std::string frame(filled_ + crypto_secretstream_xchacha20poly1305_ABYTES, '\0');
    const std::string_view bound = first_ ? std::string_view(header_) : std::string_view();
    crypto_secretstream_xchacha20poly1305_push(&stream_, raw(frame), nullptr, raw(message_), filled_, raw(bound),
                                               bound.size(), tag);
    first_ = false;
    filled_ = 0;
    const auto size = static_cast<std::uint32_t>(frame.size());
    std::string length(sizeof size, '\0');
    std::memcpy(length.data(), &size, sizeof size);
    if (auto done = write(length); !done) return done;
    return write(frame);
  }

  Result<> write(std::string_view bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) return file_error("write", path_);
    return {};
  }

  std::filesystem::path path_;
  File file_;
  std::string header_, message_ = std::string(kMessageBytes, '\0');
  std::size_t filled_ = 0;
  bool first_ = true;
  crypto_secretstream_xchacha20poly1305_state stream_{};
  z_stream zlib_{};
};

// Reads, decrypts, decompresses. What it gives out has been authenticated, up to there.
class Unpacker {
 public:
  static Result<std::unique_ptr<Unpacker>> open(const std::filesystem::path& path, const Key& key) {
    File file(std::fopen(path.c_str(), "rbe"));
    if (!file) return file_error("open", path);
    std::unique_ptr<Unpacker> unpacker(new Unpacker(path, std::move(file)));
    if (auto done = unpacker->read_header(key); !done) return std::unexpected(done.error());
    return unpacker;
  }
  ~Unpacker() { inflateEnd(&zlib_); }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;

  // Exactly so many bytes.
  Result<> read(char* out, std::size_t size) {
    zlib_.next_out = reinterpret_cast<unsigned char*>(out);
    zlib_.avail_out = static_cast<uInt>(size);
    while (zlib_.avail_out > 0) {
      if (ended_) return damaged(path_, "its content ends early");
      if (auto done = more(); !done) return done;
    }
    return {};
  }

  // That nothing comes any more.
  Result<> finish() {
    char extra = 0;
    zlib_.next_out = reinterpret_cast<unsigned char*>(&extra);
    zlib_.avail_out = 1;
    while (!ended_ && zlib_.avail_out == 1)
      if (auto done = more(); !done) return done;
    if (zlib_.avail_out == 0) return damaged(path_, "it holds more than its manifest says");
    // What follows the compressed stream has to be authenticated as well, and there may be nothing.
    if (zlib_.avail_in > 0) return damaged(path_, "something follows its content");
    while (!final_) {
      if (auto done = next_message(); !done) return done;
      if (zlib_.avail_in > 0) return damaged(path_, "something follows its content");
    }
    if (std::fgetc(file_.get()) != EOF) return damaged(path_, "something follows its end");
    return {};
  }

 private:
  Unpacker(std::filesystem::path path, File file) : path_(std::move(path)), file_(std::move(file)) {
    RLTUNE_CHECK(inflateInit(&zlib_) == Z_OK);
  }

  Result<> read_header(const Key& key) {
    header_.resize(kHeaderBytes);
    const std::size_t count = std::fread(header_.data(), 1, header_.size(), file_.get());
    if (!header_.starts_with(kMagic))
      return fail(Errc::parse, std::format("{} is not a backup of this program", path_.string()));
    if (count != header_.size()) return damaged(path_, "it ends within its header");
    const auto version = static_cast<std::uint16_t>(static_cast<unsigned char>(header_[kMagic.size()]) +
                                                    256 * static_cast<unsigned char>(header_[kMagic.size() + 1]));
    if (version != kVersion)
      return fail(Errc::parse, std::format("{} is a backup of version {}; this program reads version {}",
                                           path_.string(), version, kVersion));
    const std::string_view name = std::string_view(header_).substr(kMagic.size() + sizeof version, kKeyNameBytes);
    if (name != key_name(key)) return fail(Errc::denied, std::format("{} was made with another key", path_.string()));
    const std::string_view start = std::string_view(header_).substr(kMagic.size() + sizeof version + kKeyNameBytes);
    if (crypto_secretstream_xchacha20poly1305_init_pull(&stream_, raw(start), key.data()) != 0)
      return damaged(path_, "its header is not valid");
    return {};
  }

  // Decompresses what is there, or fetches the next message.
  Result<> more() {
    if (zlib_.avail_in == 0) {
      if (final_) return damaged(path_, "its content ends early");
      if (auto done = next_message(); !done) return done;
    }
    const int code = inflate(&zlib_, Z_NO_FLUSH);
    if (code == Z_STREAM_END)
      ended_ = true;
    else if (code != Z_OK && code != Z_BUF_ERROR)
      return damaged(path_, "its content cannot be decompressed");
    return {};
  }

  Result<> next_message() {
    std::uint32_t size = 0;
    const std::string place = std::format("frame {}", ++frames_);
    if (std::fread(&size, 1, sizeof size, file_.get()) != sizeof size)
      return damaged(path_, std::format("it is cut off before {}", place));
    if (size < crypto_secretstream_xchacha20poly1305_ABYTES || size > kFrameBytesMax)
      return damaged(path_, std::format("{} has an impossible length", place));
    frame_.resize(size);
    if (std::fread(frame_.data(), 1, size, file_.get()) != size)
      return damaged(path_, std::format("it is cut off within {}", place));
    message_.resize(size - crypto_secretstream_xchacha20poly1305_ABYTES);
    unsigned char tag = 0;
    const std::string_view bound = frames_ == 1 ? std::string_view(header_) : std::string_view();
    if (crypto_secretstream_xchacha20poly1305_pull(&stream_, raw(message_), nullptr, &tag, raw(frame_), size,
                                                   raw(bound), bound.size()) != 0)
      return damaged(path_, std::format("{} is not what was written", place));
    final_ = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    zlib_.next_in = raw(message_);
    zlib_.avail_in = static_cast<uInt>(message_.size());
    return {};
  }

  std::filesystem::path path_;
  File file_;
  std::string header_, frame_, message_;
  std::uint64_t frames_ = 0;
  bool final_ = false, ended_ = false;
  crypto_secretstream_xchacha20poly1305_state stream_{};
  z_stream zlib_{};
};

// `packing`: counts on.
Result<> pack_part(Packer& packer, const Part& part, const std::filesystem::path& file, Progress& packing,
                   const TellProgress& tell) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return file_error("open", file);
  Sha256 hash;
  std::string chunk(kMessageBytes, '\0');
  for (std::uint64_t rest = part.size; rest > 0;) {
    const std::size_t size = std::min<std::uint64_t>(rest, chunk.size());
    if (!stream.read(chunk.data(), static_cast<std::streamsize>(size)))
      return fail(Errc::mismatch, std::format("{} became shorter while it was copied", file.string()));
    hash.add({chunk.data(), size});
    if (auto done = packer.add({chunk.data(), size}); !done) return done;
    rest -= size;
    packing.bytes += size;
    if (tell) tell(packing);
  }
  if (hash.digits() != part.sha256)
    return fail(Errc::mismatch, std::format("{} changed while it was copied", file.string()));
  return {};
}

Result<> pack_into(const Manifest& manifest, const std::filesystem::path& folder, const Key& key,
                   const std::filesystem::path& file, const TellProgress& tell) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return file_error("create", file);
  Packer packer(file, File(::fdopen(descriptor, "wb")), key);
  const std::string text = to_text(manifest);
  const auto size = static_cast<std::uint32_t>(text.size());
  if (text.size() > kManifestBytesMax) return fail(Errc::unsupported, "there are too many files for one backup");
  if (auto done = packer.begin(); !done) return done;
  if (auto done = packer.add({reinterpret_cast<const char*>(&size), sizeof size}); !done) return done;
  if (auto done = packer.add(text); !done) return done;
  Progress packing{.stage = "packing"};
  for (const Part& part : manifest.parts) packing.bytes_total += part.size;
  for (const Part& part : manifest.parts)
    if (auto done = pack_part(packer, part, folder / part.name, packing, tell); !done) return done;
  return packer.finish();
}

Result<Manifest> manifest_of(Unpacker& unpacker, const std::filesystem::path& file) {
  std::uint32_t size = 0;
  if (auto done = unpacker.read(reinterpret_cast<char*>(&size), sizeof size); !done)
    return std::unexpected(done.error());
  if (size > kManifestBytesMax) return damaged(file, "its manifest has an impossible length");
  std::string text(size, '\0');
  if (auto done = unpacker.read(text.data(), text.size()); !done) return std::unexpected(done.error());
  auto manifest = parse_manifest(text);
  if (!manifest) return damaged(file, manifest.error().message);
  return manifest;
}

Result<> unpack_part(Unpacker& unpacker, const Part& part, const std::filesystem::path& target,
                     const std::filesystem::path& file) {
  std::error_code code;
  std::filesystem::create_directories(target.parent_path(), code);
  // Keys and passwords are among the parts: all of it is the owner's alone.
  const int descriptor = ::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (descriptor < 0) return file_error("create", target);
  const File out(::fdopen(descriptor, "wb"));
  Sha256 hash;
  std::string chunk(kMessageBytes, '\0');
  for (std::uint64_t rest = part.size; rest > 0;) {
    const std::size_t size = std::min<std::uint64_t>(rest, chunk.size());
    if (auto done = unpacker.read(chunk.data(), size); !done) return done;
    hash.add({chunk.data(), size});
    if (std::fwrite(chunk.data(), 1, size, out.get()) != size) return file_error("write", target);
    rest -= size;
  }
  if (std::fflush(out.get()) != 0 || ::fsync(descriptor) != 0) return file_error("write", target);
  if (hash.digits() != part.sha256)
    return damaged(file, std::format("part {} is not what the manifest says", part.name));
  return {};
}

Result<Manifest> unpack_into(const std::filesystem::path& file, const Key& key, const std::filesystem::path& folder) {
  auto unpacker = Unpacker::open(file, key);
  if (!unpacker) return std::unexpected(unpacker.error());
  auto manifest = manifest_of(**unpacker, file);
  if (!manifest) return manifest;
  for (const Part& part : manifest->parts)
    if (auto done = unpack_part(**unpacker, part, folder / part.name, file); !done)
      return std::unexpected(done.error());
  if (auto done = (*unpacker)->finish(); !done) return std::unexpected(done.error());
  return manifest;
}

bool leads_inside(const std::string& name) {
  const std::filesystem::path path(name);
  if (name.empty() || path.is_absolute() || name != path.lexically_normal().generic_string() || !path.has_filename())
    return false;
  return std::ranges::none_of(path, [](const auto& step) { return step == ".." || step == "."; });
}

}  // namespace

Result<Key> find_backup_key(const std::filesystem::path& file) {
  const auto found = find_secret("backup-key", file);
  if (!found) return std::unexpected(found.error());
  if (!*found)
    return fail(Errc::not_found,
                file.empty() ? "no key for backups: give --key FILE, RLTUNE_BACKUP_KEY or the systemd "
                               "credential rltune-backup-key; make one with: rltune backup key FILE"
                             : std::format("{0} is not there; make a key with: rltune backup key {0}", file.string()));
  auto key = Key::parse(**found);
  if (!key) return fail(key.error().code, key.error().message + "; make one with: rltune backup key FILE");
  return key;
}

std::string to_text(const Manifest& manifest) {
  ordered_json parts = ordered_json::array();
  for (const Part& part : manifest.parts)
    parts.push_back({{"name", part.name}, {"kind", part.kind}, {"size", part.size}, {"sha256", part.sha256}});
  return ordered_json{{"format", kFormat},     {"created", manifest.created}, {"version", manifest.version},
                      {"name", manifest.name}, {"site", manifest.site},       {"parts", std::move(parts)}}
      .dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

Result<Manifest> parse_manifest(const std::string& text) {
  const auto wrong = [](const std::string& what) { return fail(Errc::parse, "its manifest " + what); };
  const auto object = ordered_json::parse(text, nullptr, false);
  if (!object.is_object() || object.size() != 6 || object.value("format", ordered_json()) != kFormat)
    return wrong("has another format");
  for (const char* field : {"created", "version", "name", "site"})
    if (!object.contains(field) || !object[field].is_string()) return wrong(std::format("has no {}", field));
  if (!object.contains("parts") || !object["parts"].is_array()) return wrong("has no parts");
  Manifest manifest{.created = object["created"],
                    .version = object["version"],
                    .name = object["name"],
                    .site = object["site"],
                    .parts = {}};
  std::set<std::string> names;
  for (const ordered_json& one : object["parts"]) {
    if (!one.is_object() || one.size() != 4) return wrong("has a part of another form");
    for (const char* field : {"name", "kind", "sha256"})
      if (!one.contains(field) || !one[field].is_string()) return wrong(std::format("has a part without {}", field));
    if (!one.contains("size") || !one["size"].is_number_unsigned()) return wrong("has a part without size");
    Part part{.name = one["name"], .kind = one["kind"], .size = one["size"], .sha256 = one["sha256"]};
    if (!leads_inside(part.name)) return wrong(std::format("has a part '{}', which leads elsewhere", part.name));
    if (!names.insert(part.name).second) return wrong(std::format("has the part '{}' twice", part.name));
    manifest.parts.push_back(std::move(part));
  }
  if (!names.contains(manifest.site)) return wrong("names a site's file that is not in it");
  return manifest;
}

Result<std::string> hash_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return file_error("open", file);
  Sha256 hash;
  std::string chunk(kMessageBytes, '\0');
  while (stream) {
    stream.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    hash.add({chunk.data(), static_cast<std::size_t>(stream.gcount())});
  }
  if (stream.bad()) return file_error("read", file);
  return hash.digits();
}

Result<> pack(const Manifest& manifest, const std::filesystem::path& folder, const Key& key,
              const std::filesystem::path& file, const TellProgress& tell) {
  const std::filesystem::path partial = file.string() + std::format(".{}.part", ::getpid());
  std::error_code code;
  std::filesystem::create_directories(file.parent_path(), code);
  std::filesystem::remove(partial, code);
  auto done = pack_into(manifest, folder, key, partial, tell);
  if (done) {
    std::filesystem::rename(partial, file, code);
    if (code) done = fail(Errc::io, std::format("cannot rename to {}: {}", file.string(), code.message()));
  }
  if (!done) {
    std::filesystem::remove(partial, code);
    return done;
  }
  const int parent = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = parent >= 0 && ::fsync(parent) == 0;
  if (parent >= 0) ::close(parent);
  return synced ? Result<>{} : Result<>(file_error("sync the folder of", file));
}

Result<Manifest> read_manifest(const std::filesystem::path& file, const Key& key) {
  auto unpacker = Unpacker::open(file, key);
  if (!unpacker) return std::unexpected(unpacker.error());
  return manifest_of(**unpacker, file);
}

Result<Manifest> unpack(const std::filesystem::path& file, const Key& key, const std::filesystem::path& folder) {
  std::error_code code;
  if (std::filesystem::exists(folder, code) && !std::filesystem::is_empty(folder, code))
    return fail(Errc::invalid_argument, std::format("{} is not empty", folder.string()));
  std::filesystem::create_directories(folder, code);
  if (code) return fail(Errc::io, std::format("cannot create {}: {}", folder.string(), code.message()));
  auto manifest = unpack_into(file, key, folder);
  if (!manifest) std::filesystem::remove_all(folder, code);
  return manifest;
}

}  // namespace rltune::backup
