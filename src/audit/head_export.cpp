#include "rltune/audit/head_export.hpp"

#include <format>
#include <fstream>

#include "log_file.hpp"
#include "rltune/base/append_file.hpp"
#include "rltune/base/file.hpp"

namespace rltune::audit {
namespace {

constexpr std::uint64_t kOverlapBytes = 4096;

Result<std::string> read_from(const std::filesystem::path& path, std::uint64_t offset) {
  std::ifstream stream(path, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(offset));
  if (!stream) return fail(Errc::io, std::format("cannot read {}", path.string()));
  return std::string(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
}

std::unexpected<Error> differ(const std::filesystem::path& own, const std::filesystem::path& exported) {
  return fail(Errc::mismatch, std::format("{} is not what {} became of; keep both and run: rltune audit verify",
                                          exported.string(), own.string()));
}

// Appends the whole lines that the target does not have, when its own end is still what stands here.
Result<> export_role(const std::filesystem::path& own, const std::filesystem::path& target) {
  std::error_code code;
  const std::uint64_t there = std::filesystem::exists(target, code) ? std::filesystem::file_size(target, code) : 0;
  const std::uint64_t here = std::filesystem::file_size(own, code);
  if (code) return fail(Errc::io, std::format("cannot look at {}: {}", own.string(), code.message()));
  if (here < there) return differ(own, target);
  if (here == there) return {};
  const std::uint64_t overlap = std::min(there, kOverlapBytes);
  auto bytes = read_from(own, there - overlap);
  if (!bytes) return std::unexpected(bytes.error());
  if (overlap > 0) {
    const auto known = read_from(target, there - overlap);
    if (!known) return std::unexpected(known.error());
    if (*known != bytes->substr(0, overlap)) return differ(own, target);
  }
  const std::size_t end = bytes->rfind('\n');
  if (end == std::string::npos || end < overlap) return {};
  auto file = AppendFile::open(target);
  if (!file) return std::unexpected(file.error());
  return file->add(std::string_view(*bytes).substr(overlap, end + 1 - overlap));
}

Result<> export_key(const std::filesystem::path& own, const std::filesystem::path& target) {
  const auto key = read_file(own);
  if (!key) return {};
  const auto known = read_file(target);
  if (!known) return write_file(target, *key);
  return *known == *key ? Result<>{} : differ(own, target);
}

}  // namespace

Result<> export_heads(const std::filesystem::path& audit_folder, const std::filesystem::path& target) {
  std::error_code code;
  if (!std::filesystem::exists(audit_folder, code)) return {};
  const auto roles = list_roles(audit_folder);
  if (!roles) return std::unexpected(roles.error());
  std::filesystem::create_directories(target, code);
  if (code) return fail(Errc::io, std::format("cannot create {}: {}", target.string(), code.message()));
  Result<> done = export_key(audit_folder / "key.pub", target / "key.pub");
  for (const std::string& role : *roles) {
    const std::filesystem::path own = audit_folder / role / kHeadsName;
    if (!std::filesystem::exists(own, code)) continue;
    if (auto exported = export_role(own, target / (role + ".heads.jsonl")); !exported && done) done = exported;
  }
  return done;
}

}  // namespace rltune::audit
