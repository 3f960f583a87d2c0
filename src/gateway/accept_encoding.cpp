#include "accept_encoding.hpp"

#include <algorithm>
#include <optional>

namespace rltune::gateway {
namespace {

constexpr int kWhole = 1000;  // a weight of 1, in thousandths

std::string_view trimmed_of_spaces(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_word(std::string_view text, std::string_view word) {
  return std::ranges::equal(text, word, [](char one, char small) {
    return (one >= 'A' && one <= 'Z' ? static_cast<char>(one - 'A' + 'a') : one) == small;
  });
}

// "0.5" -> 500: one digit, and three behind the point at most (12.4.2).
std::optional<int> thousandths(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int weight = (text[0] - '0') * kWhole, unit = kWhole / 10;
  for (const char digit : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (digit < '0' || digit > '9') return std::nullopt;
    weight += (digit - '0') * unit;
    unit /= 10;
  }
  return weight <= kWhole ? std::optional(weight) : std::nullopt;
}

struct Coding {
  std::string_view name;
  int weight = kWhole;
};

std::optional<Coding> coding_of(std::string_view member) {
  const std::size_t mark = std::min(member.find(';'), member.size());
  Coding coding{.name = trimmed_of_spaces(member.substr(0, mark))};
  if (mark == member.size()) return coding;
  const std::string_view parameter = trimmed_of_spaces(member.substr(mark + 1));
  if (!is_word(parameter.substr(0, 2), "q=")) return std::nullopt;
  const auto weight = thousandths(parameter.substr(2));
  if (!weight) return std::nullopt;
  coding.weight = *weight;
  return coding;
}

}  // namespace

bool takes_gzip(std::string_view header) {
  std::optional<int> gzip, any, identity;
  while (!header.empty()) {
    const std::string_view member = header.substr(0, header.find(','));
    header.remove_prefix(std::min(member.size() + 1, header.size()));
    const auto coding = coding_of(member);
    if (!coding) continue;
    // x-gzip means the same (8.4.1.3).
    if (is_word(coding->name, "gzip") || is_word(coding->name, "x-gzip")) gzip = coding->weight;
    if (is_word(coding->name, "identity")) identity = coding->weight;
    if (coding->name == "*") any = coding->weight;
  }
  const int weight = gzip.value_or(any.value_or(0));
  return weight > 0 && weight >= identity.value_or(0);
}

}  // namespace rltune::gateway
