#include "rltune/upgrade/manifest.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <format>
#include <nlohmann/json.hpp>
#include <set>

#include "tar.hpp"

namespace rltune::upgrade {
namespace {

using nlohmann::ordered_json;

constexpr const char* kSchema = "rltune/bundle/v1";
constexpr std::size_t kFilesMax = 4096;
constexpr std::uint64_t kBytesMax = 4ULL << 30;

// A field that is not as it has to be; caught at the one door below.
struct Wrong {
  std::string what;
};

const ordered_json& field(const ordered_json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) throw Wrong{std::format("'{}' is missing", name)};
  return *found;
}

std::string text(const ordered_json& object, const char* name) {
  const ordered_json& value = field(object, name);
  if (!value.is_string()) throw Wrong{std::format("'{}' is no text", name)};
  return value.get<std::string>();
}

int small_number(const ordered_json& value, const char* name) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > 9999)
    throw Wrong{std::format("'{}' is no number of a version", name)};
  return value.get<int>();
}

bool only(std::string_view text, std::string_view allowed) {
  return std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || allowed.contains(c);
  });
}

bool is_version(const std::string& text) {
  return !text.empty() && text.size() <= 31 && text[0] >= '0' && text[0] <= '9' && only(text, ".+-~");
}

bool is_hexadecimal(const std::string& text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool is_path(const std::string& path) {
  if (path.size() > kTarNameMax || !only(path, "._+@-/")) return false;
  if (!path.starts_with("bin/") && !path.starts_with("lib/") && !path.starts_with("share/")) return false;
  std::string_view rest = path;
  while (true) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    if (part.empty() || part == "." || part == "..") return false;
    if (part.size() == rest.size()) return true;
    rest.remove_prefix(part.size() + 1);
  }
}

Format format_of(const std::string& name, const ordered_json& value) {
  if (name.empty() || name.size() > 64 || !only(name, "-")) throw Wrong{"a format has an odd name"};
  if (!value.is_object() || value.size() != 2) throw Wrong{std::format("format '{}' has other fields", name)};
  const ordered_json& reads = field(value, "reads");
  if (!reads.is_array() || reads.size() != 2) throw Wrong{std::format("'reads' of '{}' are not two numbers", name)};
  const Format format{name, small_number(reads[0], "reads"), small_number(reads[1], "reads"),
                      small_number(field(value, "writes"), "writes")};
  if (format.reads_from > format.reads_to) throw Wrong{std::format("'{}' reads nothing", name)};
  return format;
}

BundleFile file_of(const ordered_json& value) {
  if (!value.is_object() || value.size() != 4) throw Wrong{"a file has other fields"};
  BundleFile file{.path = text(value, "path"), .sha256 = text(value, "sha256")};
  if (!is_path(file.path)) throw Wrong{"a file has a path that it may not have"};
  const ordered_json &program = field(value, "program"), &size = field(value, "size");
  if (!program.is_boolean() || !size.is_number_unsigned() || !is_hexadecimal(file.sha256, 64))
    throw Wrong{std::format("{}: 'program', 'size' or 'sha256' is none", file.path)};
  file.program = program.get<bool>();
  file.size = size.get<std::uint64_t>();
  if (file.size > kBytesMax) throw Wrong{std::format("{} is too large", file.path)};
  return file;
}

std::vector<BundleFile> files_of(const ordered_json& list) {
  if (!list.is_array() || list.size() > kFilesMax) throw Wrong{"'files' is no list, or too long"};
  std::vector<BundleFile> files;
  std::set<std::string> paths;
  std::uint64_t bytes = 0;
  for (const ordered_json& entry : list) {
    files.push_back(file_of(entry));
    bytes += files.back().size;
    if (!paths.insert(files.back().path).second) throw Wrong{std::format("{} is there twice", files.back().path)};
  }
  // A path that is a folder of another cannot be unpacked.
  for (const std::string& path : paths)
    if (const auto next = paths.lower_bound(path + "/"); next != paths.end() && next->starts_with(path + "/"))
      throw Wrong{std::format("{} is a file and a folder", path)};
  if (bytes > kBytesMax) throw Wrong{"it is too large"};
  for (const char* needed : {"bin/rltune", "bin/rltune-up"})
    if (!paths.contains(needed)) throw Wrong{std::format("{} is not in it", needed)};
  return files;
}

Manifest manifest_of(const ordered_json& json) {
  if (!json.is_object() || json.size() != 7 || text(json, "schema") != kSchema)
    throw Wrong{std::format("it is not of the form {}", kSchema)};
  Manifest manifest{.version = text(json, "version"),
                    .architecture = text(json, "architecture"),
                    .created = text(json, "created"),
                    .key = text(json, "key")};
  if (!is_version(manifest.version)) throw Wrong{"'version' is none"};
  if (manifest.architecture.empty() || manifest.architecture.size() > 16 || !only(manifest.architecture, "-"))
    throw Wrong{"'architecture' is none"};
  if (!is_hexadecimal(manifest.key, 64)) throw Wrong{"'key' is none"};
  const ordered_json& formats = field(json, "formats");
  if (!formats.is_object() || formats.size() > 64) throw Wrong{"'formats' are none"};
  for (const auto& [name, value] : formats.items()) manifest.formats.push_back(format_of(name, value));
  manifest.files = files_of(field(json, "files"));
  return manifest;
}

}  // namespace

std::string encode(const Manifest& manifest) {
  ordered_json json{{"schema", kSchema},
                    {"version", manifest.version},
                    {"architecture", manifest.architecture},
                    {"created", manifest.created},
                    {"key", manifest.key},
                    {"formats", ordered_json::object()},
                    {"files", ordered_json::array()}};
  for (const Format& format : manifest.formats)
    json["formats"][format.name] = {{"reads", {format.reads_from, format.reads_to}}, {"writes", format.writes}};
  for (const BundleFile& file : manifest.files)
    json["files"].push_back(
        {{"path", file.path}, {"program", file.program}, {"size", file.size}, {"sha256", file.sha256}});
  return json.dump(1) + "\n";
}

Result<Manifest> decode_manifest(std::string_view json) {
  if (json.size() > kManifestBytesMax) return fail(Errc::parse, "the manifest is too large");
  const ordered_json parsed = ordered_json::parse(json, nullptr, false);
  if (parsed.is_discarded()) return fail(Errc::parse, "the manifest is no JSON");
  try {
    return manifest_of(parsed);
  } catch (const Wrong& wrong) {
    return fail(Errc::parse, "the manifest: " + wrong.what);
  }
}

std::string own_architecture() {
  utsname name{};
  ::uname(&name);
  const std::string machine = name.machine;
  return machine == "x86_64" ? "amd64" : machine == "aarch64" ? "arm64" : machine;
}

}  // namespace rltune::upgrade
