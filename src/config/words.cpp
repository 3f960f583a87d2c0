#include "words.hpp"

#include <algorithm>
#include <cmath>
#include <format>
#include <vector>

#include "rltune/config/secret.hpp"

namespace rltune::config {
namespace {

constexpr std::size_t kWordsShown = 40;
constexpr std::size_t kTextShown = 60;

// Levenshtein's distance, one row at a time.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  if (word.size() > 100) return {};
  std::string_view best;
  std::size_t fewest = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > 100) continue;
    if (const std::size_t count = edits(word, candidate); count < fewest) {
      fewest = count;
      best = candidate;
    }
  }
  return best;
}

std::string list_of(std::span<const std::string_view> words) {
  std::string text;
  for (std::size_t i = 0; i < std::min(words.size(), kWordsShown); ++i) {
    if (i > 0) text += ", ";
    text += words[i];
  }
  if (words.size() > kWordsShown) text += std::format(", and {} more", words.size() - kWordsShown);
  return text;
}

std::string suggest(std::string_view word, std::span<const std::string_view> candidates) {
  if (candidates.empty()) return "; there are none";
  if (const std::string_view near = nearest(word, candidates); !near.empty())
    return std::format("; did you mean '{}'?", near);
  return std::format("; there are {}", list_of(candidates));
}

std::string shown(std::string_view text) {
  if (!secret_in(text).empty()) return "[redacted]";
  std::string out(text.substr(0, kTextShown));
  std::ranges::replace_if(out, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  if (text.size() > kTextShown) {
    while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0) == 0x80) out.pop_back();
    if (!out.empty() && static_cast<unsigned char>(out.back()) >= 0xC0) out.pop_back();
    out += "...";
  }
  return out;
}

std::string show_number(double value) {
  if (std::abs(value) < 1e15 && value == std::floor(value)) return std::format("{:.0f}", value);
  return std::format("{}", value);
}

}  // namespace rltune::config
