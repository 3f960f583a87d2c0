#include "faults.hpp"

#include <algorithm>
#include <format>

namespace rltune::config {
namespace {
constexpr std::size_t kFaultsShown = 100;
}

void Faults::add(const std::string& path, const std::string& what) { add_at(line_of(path), path, what); }

void Faults::add_at(int line, const std::string& path, const std::string& what) {
  faulty_.insert(path);
  faults_.push_back({line, path.empty() ? what : std::format("{}: {}", path, what)});
}

bool Faults::has(const std::string& path) const { return lines_.contains(path); }

bool Faults::faulty(const std::string& path) const { return faulty_.contains(path); }

int Faults::line_of(std::string path) const {
  for (;;) {
    if (const auto found = lines_.find(path); found != lines_.end()) return found->second;
    const std::size_t cut = path.find_last_of(".[");
    if (cut == std::string::npos) return 1;
    path.resize(cut);
  }
}

Error Faults::error() const {
  std::vector<Fault> sorted = faults_;
  std::ranges::stable_sort(sorted, {}, &Fault::line);
  std::string text;
  for (std::size_t i = 0; i < std::min(sorted.size(), kFaultsShown); ++i)
    text += std::format("{}{}:{}: {}", i == 0 ? "" : "\n", name_, sorted[i].line, sorted[i].text);
  if (sorted.size() > kFaultsShown) text += std::format("\n{}: and {} more", name_, sorted.size() - kFaultsShown);
  return {Errc::invalid_argument, std::move(text)};
}

}  // namespace rltune::config
