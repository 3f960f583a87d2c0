#include "rltune/upgrade/bundle.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>
#include <map>

#include "rltune/base/descriptor.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/sha256.hpp"
#include "rltune/base/sha256_sum.hpp"
#include "tar.hpp"

namespace rltune::upgrade {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSignatureBytes = 2 * crypto_sign_BYTES + 1;  // with the line feed
constexpr std::size_t kPiece = 1 << 20;
constexpr const char* kManifestName = "manifest.json";
constexpr const char* kSignatureName = "manifest.sig";

std::unexpected<Error> refused(const char* what, const fs::path& path) {
  const Errc code = errno == ENOENT ? Errc::not_found : errno == ENOSPC || errno == EDQUOT ? Errc::no_space : Errc::io;
  return fail(code, std::format("{} {}: {}", what, path.string(), std::strerror(errno)));
}

// A bundle's bytes from its beginning to its end, one member after the other.
class Reader {
 public:
  explicit Reader(const fs::path& file) : path_(file), file_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {}
  Result<> opened() const {
    if (file_.get() < 0) return refused("cannot open", path_);
    struct stat about{};
    if (::fstat(file_.get(), &about) != 0 || !S_ISREG(about.st_mode))
      return fail(Errc::io, path_.string() + " is no file");
    return {};
  }

  // So many bytes, handed over piece by piece.
  template <typename Take>
  Result<> read(std::uint64_t size, const Take& take) {
    std::string piece;
    while (size > 0) {
      piece.resize(std::min<std::uint64_t>(size, kPiece));
      const ssize_t count = ::read(file_.get(), piece.data(), piece.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return refused("cannot read", path_);
      if (count == 0) return damaged("it ends early");
      piece.resize(static_cast<std::size_t>(count));
      size -= piece.size();
      if (Result<> taken = take(std::string_view(piece)); !taken) return taken;
    }
    return {};
  }
  Result<std::string> read(std::uint64_t size) {
    std::string bytes;
    auto done = read(size, [&](std::string_view piece) -> Result<> {
      bytes += piece;
      return {};
    });
    if (!done) return std::unexpected(done.error());
    return bytes;
  }
  Result<> padding(std::uint64_t size) { return zeros(tar_padding(size)); }
  Result<> end() {
    if (auto done = zeros(2 * kTarBlock); !done) return done;
    char more = 0;
    if (::read(file_.get(), &more, 1) != 0) return damaged("something follows its end");
    return {};
  }
  // A whole small member.
  Result<std::string> member(const char* name, std::size_t size_max) {
    auto header = read(kTarBlock);
    if (!header) return header;
    const auto size = tar_size(*header, name, false);
    if (!size || *size > size_max) return damaged(std::format("it does not have its {}", name));
    auto bytes = read(*size);
    if (!bytes) return bytes;
    if (auto done = padding(*size); !done) return std::unexpected(done.error());
    return bytes;
  }
  std::unexpected<Error> damaged(std::string_view why) const {
    return fail(Errc::corrupt,
                std::format("{} is no bundle, or a damaged one: {}; copy it again", path_.string(), why));
  }

 private:
  Result<> zeros(std::size_t size) {
    return read(size, [this](std::string_view piece) -> Result<> {
      if (piece.find_first_not_of('\0') != std::string_view::npos)
        return damaged("bytes between its files were changed");
      return {};
    });
  }

  const fs::path& path_;
  Descriptor file_;
};

Result<> write_all(int file, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return refused("cannot write", path);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

// Manifest and signature, and which key it was: the bytes that a bundle begins with.
Result<Bundle> read_head(Reader& reader, const fs::path& file) {
  auto manifest = reader.member(kManifestName, kManifestBytesMax);
  if (!manifest) return std::unexpected(manifest.error());
  auto signature = reader.member(kSignatureName, kSignatureBytes);
  if (!signature) return std::unexpected(signature.error());
  return Bundle{file, {}, std::move(*manifest), std::move(*signature)};
}

Result<> check_signature(Bundle& bundle, std::span<const std::string> keys) {
  const std::string name = bundle.file.string();
  auto manifest = decode_manifest(bundle.manifest_bytes);
  if (!manifest) return fail(Errc::corrupt, std::format("{}: {}", name, manifest.error().message));
  bundle.manifest = std::move(*manifest);
  if (std::ranges::find(keys, bundle.manifest.key) == keys.end())
    return fail(Errc::denied, std::format("{} is signed by the key {}, which this host does not trust; if it is your "
                                          "builder's, put it into the folder keys",
                                          name, bundle.manifest.key));
  if (bundle.signature.size() != kSignatureBytes || !bundle.signature.ends_with('\n') ||
      !audit::is_signed_by(bundle.manifest.key, bundle.manifest_bytes,
                           std::string_view(bundle.signature).substr(0, kSignatureBytes - 1)))
    return fail(Errc::denied, name + ": its signature is not that of its manifest; it was changed, or damaged");
  if (bundle.manifest.architecture != own_architecture())
    return fail(Errc::unsupported, std::format("{} is for {}; this machine is {}", name, bundle.manifest.architecture,
                                               own_architecture()));
  return {};
}

// Takes the content of each file of a bundle in turn.
class Target {
 public:
  virtual ~Target() = default;
  virtual Result<> begin(const BundleFile& file) = 0;
  virtual Result<> take(std::string_view piece) = 0;
};

class Nowhere final : public Target {
 public:
  Result<> begin(const BundleFile&) override { return {}; }
  Result<> take(std::string_view) override { return {}; }
};

class Folder final : public Target {
 public:
  explicit Folder(const fs::path& folder) : folder_(folder) {}
  Result<> begin(const BundleFile& file) override {
    path_ = folder_ / file.path;
    std::error_code code;
    fs::create_directories(path_.parent_path(), code);
    if (code) return fail(Errc::io, std::format("cannot create {}: {}", path_.parent_path().string(), code.message()));
    out_ = std::make_unique<Descriptor>(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (out_->get() < 0 || ::fchmod(out_->get(), file.program ? 0755 : 0644) != 0) return refused("cannot make", path_);
    return {};
  }
  Result<> take(std::string_view piece) override { return write_all(out_->get(), piece, path_); }

 private:
  fs::path folder_, path_;
  std::unique_ptr<Descriptor> out_;
};

Result<> read_file_of(Reader& reader, const BundleFile& file, Target& target) {
  auto header = reader.read(kTarBlock);
  if (!header) return std::unexpected(header.error());
  if (*header != tar_header(file.path, file.size, file.program))
    return reader.damaged(std::format("where {} should begin there is something else", file.path));
  if (auto begun = target.begin(file); !begun) return begun;
  Sha256 hash;
  auto done = reader.read(file.size, [&](std::string_view piece) {
    hash.add(piece);
    return target.take(piece);
  });
  if (!done) return done;
  if (hash.digits() != file.sha256) return reader.damaged(std::format("{} is not what was signed", file.path));
  return reader.padding(file.size);
}

Result<> read_files(const Bundle& bundle, Target& target, const OnFile& on_file) {
  Reader reader(bundle.file);
  if (auto opened = reader.opened(); !opened) return opened;
  const auto head = read_head(reader, bundle.file);
  if (!head) return std::unexpected(head.error());
  if (head->manifest_bytes != bundle.manifest_bytes || head->signature != bundle.signature)
    return reader.damaged("somebody changed it meanwhile");
  for (const BundleFile& file : bundle.manifest.files) {
    if (on_file) on_file(file.path);
    if (auto read = read_file_of(reader, file, target); !read) return read;
  }
  return reader.end();
}

Result<> sync_file_system(const fs::path& folder) {
  const Descriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() < 0 || ::syncfs(file.get()) != 0) return refused("cannot sync", folder);
  return {};
}

// Relative path -> file, of every regular file below.
Result<std::map<std::string, fs::path>> files_below(const fs::path& folder) {
  std::map<std::string, fs::path> files;
  std::error_code code;
  for (fs::recursive_directory_iterator entry(folder, code), last; !code && entry != last; entry.increment(code)) {
    if (entry->is_directory()) continue;
    if (!entry->is_regular_file() || entry->is_symlink())
      return fail(Errc::invalid_argument, entry->path().string() + " is no plain file");
    files.emplace(entry->path().lexically_relative(folder).string(), entry->path());
  }
  if (code) return fail(Errc::io, std::format("cannot read {}: {}", folder.string(), code.message()));
  return files;
}

Result<> append_member(int out, const fs::path& path, std::string_view name, std::string_view bytes, bool program) {
  if (auto done = write_all(out, tar_header(name, bytes.size(), program), path); !done) return done;
  if (auto done = write_all(out, bytes, path); !done) return done;
  return write_all(out, std::string(tar_padding(bytes.size()), '\0'), path);
}

Result<> write_bundle(const fs::path& out, const Bundle& bundle, const std::map<std::string, fs::path>& files) {
  const Descriptor file(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.get() < 0) return refused("cannot create", out);
  if (auto done = append_member(file.get(), out, kManifestName, bundle.manifest_bytes, false); !done) return done;
  if (auto done = append_member(file.get(), out, kSignatureName, bundle.signature, false); !done) return done;
  for (const BundleFile& member : bundle.manifest.files) {
    const auto bytes = read_file(files.at(member.path));
    if (!bytes) return std::unexpected(bytes.error());
    if (sha256(*bytes) != member.sha256) return fail(Errc::mismatch, member.path + " was changed while it was packed");
    if (auto done = append_member(file.get(), out, member.path, *bytes, member.program); !done) return done;
  }
  if (auto done = write_all(file.get(), std::string(2 * kTarBlock, '\0'), out); !done) return done;
  if (::fsync(file.get()) != 0) return refused("cannot sync", out);
  return {};
}

}  // namespace

Result<std::string> make_key(const fs::path& file) {
  std::error_code code;
  if (fs::exists(file, code))
    return fail(Errc::invalid_argument, file.string() + " is there already; it is not overwritten");
  if (::sodium_init() < 0) return fail(Errc::internal, "libsodium cannot be used on this machine");
  unsigned char seed[crypto_sign_SEEDBYTES];
  char digits[2 * sizeof seed + 1];
  randombytes_buf(seed, sizeof seed);
  sodium_bin2hex(digits, sizeof digits, seed, sizeof seed);
  const auto key = audit::SigningKey::of_seed(digits);
  Result<> written = key ? write_secret_file(file, std::string(digits) + "\n") : std::unexpected(key.error());
  sodium_memzero(seed, sizeof seed);
  sodium_memzero(digits, sizeof digits);
  if (written) written = write_file(file.string() + ".pub", key->public_key() + "\n");
  if (!written) return std::unexpected(written.error());
  return key->public_key();
}

Result<Manifest> pack(const fs::path& folder, Manifest about, const audit::SigningKey& key, const fs::path& out) {
  const auto files = files_below(folder);
  if (!files) return std::unexpected(files.error());
  about.key = key.public_key();
  about.files.clear();
  for (const auto& [path, file] : *files) {
    const auto hash = sha256_file(file);
    if (!hash) return std::unexpected(hash.error());
    std::error_code code;
    const bool program = (fs::status(file, code).permissions() & fs::perms::owner_exec) != fs::perms::none;
    about.files.push_back({path, program, fs::file_size(file, code), *hash});
  }
  Bundle bundle{out, about, encode(about), {}};
  if (auto good = decode_manifest(bundle.manifest_bytes); !good)
    return fail(Errc::invalid_argument, good.error().message);
  bundle.signature = key.sign(bundle.manifest_bytes) + "\n";
  const fs::path partial = out.string() + ".part";
  if (auto done = write_bundle(partial, bundle, *files); !done) {
    ::unlink(partial.c_str());
    return std::unexpected(done.error());
  }
  if (::rename(partial.c_str(), out.c_str()) != 0) return refused("cannot rename to", out);
  return about;
}

Result<Bundle> open_bundle(const fs::path& file, std::span<const std::string> keys) {
  Reader reader(file);
  if (auto opened = reader.opened(); !opened) return std::unexpected(opened.error());
  auto bundle = read_head(reader, file);
  if (!bundle) return bundle;
  if (auto good = check_signature(*bundle, keys); !good) return std::unexpected(good.error());
  return bundle;
}

Result<> verify(const Bundle& bundle, const OnFile& on_file) {
  Nowhere nowhere;
  return read_files(bundle, nowhere, on_file);
}

Result<> unpack(const Bundle& bundle, const fs::path& folder, const OnFile& on_file) {
  std::error_code code;
  fs::create_directories(folder.parent_path(), code);
  if (!fs::create_directory(folder, code))
    return fail(Errc::io, std::format("cannot create {}: {}", folder.string(), code ? code.message() : "it is there"));
  Folder target(folder);
  if (auto read = read_files(bundle, target, on_file); !read) return read;
  if (auto done = write_file(folder / kManifestName, bundle.manifest_bytes); !done) return done;
  if (auto done = write_file(folder / kSignatureName, bundle.signature); !done) return done;
  return sync_file_system(folder);
}

Result<Manifest> read_manifest(const fs::path& folder) {
  const auto bytes = read_file(folder / kManifestName);
  if (!bytes) return std::unexpected(bytes.error());
  return decode_manifest(*bytes);
}

Result<Manifest> verify_unpacked(const fs::path& folder, std::span<const std::string> keys) {
  const auto manifest = read_file(folder / kManifestName), signature = read_file(folder / kSignatureName);
  if (!manifest || !signature) return fail(Errc::corrupt, folder.string() + " has no manifest with a signature");
  Bundle bundle{folder, {}, *manifest, *signature};
  if (auto good = check_signature(bundle, keys); !good) return std::unexpected(good.error());
  for (const BundleFile& file : bundle.manifest.files) {
    const auto hash = sha256_file(folder / file.path);
    if (!hash || *hash != file.sha256)
      return fail(Errc::corrupt, std::format("{} is not what was signed", (folder / file.path).string()));
  }
  return bundle.manifest;
}

}  // namespace rltune::upgrade
