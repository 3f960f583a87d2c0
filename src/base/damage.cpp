#include "rltune/base/damage.hpp"

#include <algorithm>
#include <chrono>
#include <format>
#include <mutex>
#include <utility>

#include "rltune/base/log.hpp"

namespace rltune {
namespace {

constexpr const char* kMark = ".damaged-";
constexpr std::size_t kUnheardMax = 1000;

struct Listeners {
  std::mutex mutex;
  std::vector<std::pair<const DamageListener*, std::function<void(const Damage&)>>> all;
  std::vector<Damage> unheard;
};

Listeners& listeners() {
  static Listeners instance;
  return instance;
}

std::filesystem::path name_for(const std::filesystem::path& file) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const std::string wanted = std::format("{}{}{:%Y%m%dT%H%M%SZ}", file.string(), kMark, now);
  std::string name = wanted;
  std::error_code code;
  for (int number = 2; std::filesystem::exists(name, code); ++number) name = std::format("{}-{}", wanted, number);
  return name;
}

}  // namespace

Result<> put_aside(const std::filesystem::path& file, const std::string& why, const std::string& now) {
  const std::filesystem::path kept = name_for(file);
  std::error_code code, ignored;
  // The log goes first: it must not be taken for that of the file that comes in its place.
  for (const char* part : {"-shm", "-wal"})
    std::filesystem::rename(file.string() + part, kept.string() + part, ignored);
  std::filesystem::rename(file, kept, code);
  if (!code) {
    tell_damage({file, kept, why, now});
    return {};
  }
  const std::string failed = std::format("cannot rename {}: {}", file.string(), code.message());
  tell_damage({file, {}, why, failed});
  return fail(Errc::io, failed);
}

void tell_damage(Damage damage) {
  log::critical("a file is damaged", {{"file", damage.file.string()},
                                      {"because", damage.why},
                                      {"now", damage.now},
                                      {"kept", damage.kept.empty() ? damage.file.string() : damage.kept.string()}});
  Listeners& known = listeners();
  const std::lock_guard lock(known.mutex);
  for (const auto& [listener, hear] : known.all) hear(damage);
  if (known.all.empty() && known.unheard.size() < kUnheardMax) known.unheard.push_back(std::move(damage));
}

std::vector<std::filesystem::path> put_aside_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  std::error_code code;
  for (auto entry = std::filesystem::recursive_directory_iterator(folder, code);
       !code && entry != std::filesystem::recursive_directory_iterator(); entry.increment(code)) {
    const std::string name = entry->path().filename().string();
    if (!name.contains(kMark)) continue;
    if (!name.ends_with("-wal") && !name.ends_with("-shm")) found.push_back(entry->path());
    entry.disable_recursion_pending();
  }
  std::ranges::sort(found);
  return found;
}

DamageListener::DamageListener(std::function<void(const Damage&)> hear) {
  Listeners& known = listeners();
  const std::lock_guard lock(known.mutex);
  for (const Damage& damage : std::exchange(known.unheard, {})) hear(damage);
  known.all.emplace_back(this, std::move(hear));
}

DamageListener::~DamageListener() {
  Listeners& known = listeners();
  const std::lock_guard lock(known.mutex);
  std::erase_if(known.all, [this](const auto& one) { return one.first == this; });
}

}  // namespace rltune
