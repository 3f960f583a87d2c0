#include "policy_store.hpp"

#include <algorithm>
#include <cctype>
#include <format>

#include "rltune/base/damage.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/sha256.hpp"

namespace rltune::agent {
namespace {

bool is_two_words(const std::string& text) {
  const auto is_word = [](std::string_view word) {
    return !word.empty() && std::ranges::all_of(word, [](unsigned char one) { return std::isalnum(one) != 0; });
  };
  const std::size_t blank = text.find(' ');
  return blank != std::string::npos && is_word(text.substr(0, blank)) && is_word(text.substr(blank + 1));
}

}  // namespace

PolicyStore PolicyStore::of(const config::Site& site) {
  return PolicyStore(site.folder / site.storage.folder / "policies");
}

Result<std::string> PolicyStore::put(std::string_view onnx) const {
  std::string sha = sha256(onnx);
  if (auto stored = sha256_file(file_of(sha)); stored && *stored == sha) return sha;
  if (auto written = write_file(file_of(sha), onnx); !written) return std::unexpected(written.error());
  return sha;
}

Result<nn::NetworkDescription> PolicyStore::get(const std::string& sha) const {
  auto bytes = read_file(file_of(sha));
  if (!bytes) return std::unexpected(bytes.error());
  if (sha256(*bytes) == sha) return nn::from_onnx(*bytes);
  const std::string why = file_of(sha).string() + " is damaged: its hash is not its name";
  // What is missing from now on is missing by the disk's fault, and no backup's.
  if (auto noted = write_file(folder_ / (sha + ".lost"), why + "\n"); !noted) log::warning(noted.error().message);
  [[maybe_unused]] const auto aside = put_aside(file_of(sha), why, "these weights do not act any more");
  return fail(Errc::corrupt, why);
}

Result<policy::Artifact> PolicyStore::load(const std::string& instance, const std::filesystem::path& folder) const {
  auto artifact = policy::load_artifact(folder);
  const std::filesystem::path copy = folder_ / (instance + ".last-whole");
  if (artifact) keep(folder, copy);
  if (artifact || (artifact.error().code != Errc::corrupt && artifact.error().code != Errc::parse)) return artifact;
  auto before = policy::load_artifact(copy);
  // The folder is a person's: it stays as it is.
  tell_damage({.file = folder,
               .kept = {},
               .why = artifact.error().message,
               .now = before ? "the copy of the policy that was last whole acts, " + copy.string()
                             : "there is no copy of it, and the agent does not run"});
  return before ? before : artifact;
}

// The manifest comes last: it vouches for the others.
void PolicyStore::keep(const std::filesystem::path& folder, const std::filesystem::path& copy) {
  std::vector<std::filesystem::path> files;
  std::error_code code;
  for (auto entry = std::filesystem::directory_iterator(folder, code);
       !code && entry != std::filesystem::directory_iterator(); entry.increment(code))
    if (entry->is_regular_file(code)) files.push_back(entry->path());
  std::ranges::stable_partition(files, [](const auto& file) { return file.filename() != "manifest.yaml"; });
  for (const std::filesystem::path& file : files) {
    const auto bytes = read_file(file), kept = read_file(copy / file.filename());
    if (!bytes || (kept && *kept == *bytes)) continue;
    if (auto written = write_file(copy / file.filename(), *bytes); !written)
      return log::warning("no copy of the policy could be kept", {{"reason", written.error().message}});
  }
}

std::optional<std::string> PolicyStore::active(const std::string& agent, const std::string& artifact_sha256) const {
  const std::filesystem::path file = folder_ / (agent + ".active");
  const auto text = read_file(file);
  const std::string start = artifact_sha256 + " ";
  if (text && !is_two_words(*text)) [[maybe_unused]]
    const auto aside = put_aside(file, "it does not name the weights that act", "the artifact's weights act");
  if (!text || !text->starts_with(start)) return std::nullopt;
  return text->substr(start.size());
}

Result<> PolicyStore::set_active(const std::string& agent, const std::string& artifact_sha256,
                                 const std::string& sha) const {
  return write_file(folder_ / (agent + ".active"), artifact_sha256 + " " + sha);
}

}  // namespace rltune::agent
