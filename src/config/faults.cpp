#include "faults.hpp"

#include <algorithm>
#include <format>
#include <ranges>

namespace rltune::config {
namespace {
constexpr std::size_t kFaultsShown = 100;
}

void Faults::add(const std::string& path, const std::string& what) { add_at(line_of(path), path, what); }

void Faults::add_at(int line, const std::string& path, const std::string& what) {
  faulty_.insert(path);
  faults_.push_back({line, path, what});
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

std::vector<Fault> Faults::sorted() const {
  std::vector<Fault> sorted = faults_;
  std::ranges::stable_sort(sorted, {}, &Fault::line);
  return sorted;
}

Error Faults::error() const { return {Errc::invalid_argument, to_text(name_, sorted())}; }

std::string to_text(const std::string& name, const std::vector<Fault>& faults) {
  std::string text;
  for (const Fault& fault : faults | std::views::take(kFaultsShown))
    text += std::format("{}{}:{}: {}{}{}", text.empty() ? "" : "\n", name, fault.line, fault.field,
                        fault.field.empty() ? "" : ": ", fault.message);
  if (faults.size() > kFaultsShown) text += std::format("\n{}: and {} more", name, faults.size() - kFaultsShown);
  return text;
}

}  // namespace rltune::config
