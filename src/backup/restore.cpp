#include <unistd.h>

#include <format>
#include <map>
#include <set>

#include "rltune/audit/verify.hpp"
#include "rltune/backup/backup.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/sha256.hpp"
#include "rltune/config/site.hpp"
#include "rltune/historian/decision_log.hpp"
#include "snapshot.hpp"

namespace rltune::backup {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPage = 1000;
constexpr std::size_t kSealDigits = 64;

class Examiner {
 public:
  Examiner(const fs::path& folder, const Manifest& manifest) : folder_(folder), manifest_(manifest) {}

  Agreement run() {
    const auto site = config::load_site(folder_ / manifest_.site);
    if (!site) {
      fault(site.error().message);
      return std::move(found_);
    }
    data_ = (site->folder / site->storage.folder).lexically_normal();
    databases();
    policies();
    decisions();
    acting_weights();
    checkpoints();
    audit_log();
    return std::move(found_);
  }

 private:
  void fault(std::string what) { found_.faults.push_back(std::move(what)); }

  void databases() {
    for (const Part& part : manifest_.parts) {
      if (part.kind != "database") continue;
      ++found_.databases;
      if (const std::string said = integrity_of(folder_ / part.name); !said.empty())
        fault(std::format("database {}: {}", part.name, said));
    }
  }

  // By content: the name is the hash.
  void policies() {
    for (const Part& part : manifest_.parts) {
      const fs::path name(part.name);
      if (name.extension() != ".onnx") continue;
      ++found_.policies;
      weights_.insert(part.sha256);
      if (name.parent_path().filename() == "policies" && name.stem().string() != part.sha256)
        fault(std::format("weights {}: the hash is not the name", part.name));
    }
  }

  void decisions() {
    if (!fs::exists(data_ / "decisions")) return;
    std::string after;
    std::map<std::string, std::uint64_t> missing;
    while (true) {
      const auto page =
          historian::read_decisions(data_ / "decisions", TimePoint::min(), TimePoint::max(), kPage, after);
      if (!page) return fault(page.error().message);
      for (const historian::Decision& decision : *page)
        if (!decision.policy_sha256.empty() && !weights_.contains(decision.policy_sha256))
          ++missing[decision.policy_sha256];
      found_.decisions += page->size();
      if (page->size() < kPage) break;
      after = page->back().id;
    }
    for (const auto& [sha, count] : missing)
      fault(std::format("{} decisions were made by weights {}, which are not there", count, sha));
  }

  void acting_weights() {
    for (const Part& part : manifest_.parts) {
      if (!part.name.ends_with(".active")) continue;
      const auto text = read_file(folder_ / part.name);
      const std::size_t space = text ? text->find(' ') : std::string::npos;
      if (space == std::string::npos)
        fault(std::format("{} cannot be read", part.name));
      else if (!weights_.contains(text->substr(space + 1)))
        fault(std::format("{} names weights {}, which are not there", part.name, text->substr(space + 1)));
    }
  }

  // A checkpoint is sealed by the SHA-256 at its end.
  void checkpoints() {
    for (const Part& part : manifest_.parts) {
      if (!part.name.ends_with(".checkpoint")) continue;
      ++found_.checkpoints;
      const auto bytes = read_file(folder_ / part.name);
      const bool good = bytes && bytes->size() > kSealDigits &&
                        sha256(std::string_view(*bytes).substr(0, bytes->size() - kSealDigits)) ==
                            bytes->substr(bytes->size() - kSealDigits);
      if (!good) fault(std::format("checkpoint {}: its seal does not fit", part.name));
    }
  }

  void audit_log() {
    if (!fs::exists(data_ / "audit")) return;
    const auto reports = audit::verify(data_ / "audit", {}, {});
    if (!reports) return fault(reports.error().message);
    for (const audit::RoleReport& report : *reports) {
      found_.audit_lines += report.lines;
      for (const audit::Fault& one : report.faults)
        fault(std::format("audit log {}:{}: {}: {}", one.file, one.line, one.kind, one.what));
    }
  }

  const fs::path& folder_;
  const Manifest& manifest_;
  fs::path data_;
  std::set<std::string> weights_;
  Agreement found_;
};

std::string in_lines(const std::vector<std::string>& faults) {
  std::string text;
  for (const std::string& one : faults) text += "\n  " + one;
  return text;
}

// Beside where it will be, so that one rename puts it there.
fs::path beside(const fs::path& folder) { return folder.string() + std::format(".{}.part", ::getpid()); }

}  // namespace

Agreement examine(const fs::path& folder, const Manifest& manifest) { return Examiner(folder, manifest).run(); }

Result<Restored> restore(const fs::path& file, const Key& key, const fs::path& wanted) {
  fs::path folder = fs::absolute(wanted).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  std::error_code code;
  if (fs::exists(folder, code) && (!fs::is_directory(folder, code) || !fs::is_empty(folder, code)))
    return fail(Errc::invalid_argument, std::format("{} is not an empty folder; nothing was changed", folder.string()));
  const fs::path partial = beside(folder);
  auto restored = verify(file, key, partial);
  if (!restored) return restored;
  if (!restored->agreement.faults.empty()) {
    fs::remove_all(partial, code);
    return fail(Errc::mismatch, std::format("{}: its parts do not agree; nothing was restored:{}", file.string(),
                                            in_lines(restored->agreement.faults)));
  }
  fs::rename(partial, folder, code);
  if (code) {
    const std::string why = code.message();
    fs::remove_all(partial, code);
    return fail(Errc::io, std::format("cannot rename to {}: {}", folder.string(), why));
  }
  restored->site = folder / restored->manifest.site;
  return restored;
}

Result<Restored> verify(const fs::path& file, const Key& key, const fs::path& scratch) {
  auto manifest = unpack(file, key, scratch);
  if (!manifest) return std::unexpected(manifest.error());
  Restored restored{.manifest = std::move(*manifest), .agreement = {}, .site = {}};
  restored.agreement = examine(scratch, restored.manifest);
  return restored;
}

}  // namespace rltune::backup
