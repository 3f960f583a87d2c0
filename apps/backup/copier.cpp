#include "copier.hpp"

#include <nlohmann/json.hpp>

#include "rltune/backup/backup.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/log.hpp"

namespace rltune::backup {
namespace {

using nlohmann::ordered_json;

constexpr const char* kStatusEnding = ".offsite.json";
constexpr auto kWaitMax = std::chrono::minutes(30);

const char* to_string(Breaker::State state) {
  switch (state) {
    case Breaker::State::closed:
      return "closed";
    case Breaker::State::half_open:
      return "half open";
    case Breaker::State::open:
      return "open";
  }
  return "";
}

std::string now_text(const Clock& clock, Duration ahead = {}) {
  return format_rfc3339(std::chrono::floor<std::chrono::seconds>(clock.now() + ahead));
}

ordered_json text_or_null(const std::string& text) { return text.empty() ? ordered_json(nullptr) : ordered_json(text); }

}  // namespace

Copier::Copier(std::filesystem::path folder, std::string site, Offsite& place, Duration wait_first)
    : folder_(std::move(folder)),
      site_(std::move(site)),
      place_(place),
      breaker_({.failures_max = 1,
                .wait_first = wait_first,
                .wait_max = std::max<Duration>(wait_first, kWaitMax),
                .seed = static_cast<std::uint64_t>(clock_.now().time_since_epoch().count())}) {}

bool Copier::turn() {
  if (!waiting_ || !breaker_.allows(clock_.steady())) return false;
  const auto copied = copy_missing(folder_, site_, place_, rule_);
  if (copied) {
    breaker_.succeeded();
    waiting_ = false;
    if (!trouble_.empty()) log::info("copies go on", {{"place", place_.name()}});
    trouble_.clear();
    since_.clear();
    copied_at_ = now_text(clock_);
    if (const auto files = list(folder_, site_); files && !files->empty()) newest_ = files->back().filename().string();
    for (const std::string& name : *copied) log::info("copied", {{"file", name}, {"place", place_.name()}});
  } else {
    breaker_.failed(clock_.steady());
    if (trouble_.empty()) since_ = now_text(clock_);
    if (trouble_ != copied.error().message)
      log::warning("not copied; it is tried again", {{"place", place_.name()}, {"reason", copied.error().message}});
    trouble_ = copied.error().message;
  }
  write_status();
  return true;
}

void Copier::write_status() const {
  ordered_json status{{"site", site_}, {"place", place_.name()}, {"circuit", to_string(breaker_.state())}};
  status["newest_copied"] = text_or_null(newest_);
  status["copied_at"] = text_or_null(copied_at_);
  status["trouble"] = text_or_null(trouble_);
  status["trouble_since"] = text_or_null(since_);
  const bool open = breaker_.state() == Breaker::State::open;
  status["next_try"] = text_or_null(open ? now_text(clock_, breaker_.try_at() - clock_.steady()) : "");
  if (auto written = write_file(folder_ / (site_ + kStatusEnding), status.dump(2) + "\n"); !written)
    log::warning("how the copies stand cannot be written down", {{"reason", written.error().message}});
}

ordered_json copies_of(const std::filesystem::path& folder) {
  ordered_json all = ordered_json::array();
  std::error_code code;
  for (auto entry = std::filesystem::directory_iterator(folder, code);
       !code && entry != std::filesystem::directory_iterator(); entry.increment(code)) {
    if (!entry->path().filename().string().ends_with(kStatusEnding)) continue;
    const auto text = read_file(entry->path());
    auto status = text ? ordered_json::parse(*text, nullptr, false) : ordered_json();
    if (status.is_object()) all.push_back(std::move(status));
  }
  return all;
}

}  // namespace rltune::backup
