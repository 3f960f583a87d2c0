#include "rltune/access/guessable_password.hpp"

#include <zxcvbn.h>

#include <algorithm>
#include <cctype>
#include <format>
#include <memory>
#include <vector>

namespace rltune::access {
namespace {

// A billion guesses, more than zxcvbn's score of 3 (10^8) asks: it withstands guessing at the door and, hashed with
// argon2id, for years in a stolen file.
constexpr double kBitsLeast = 30.0;
// Shorter parts of names are in everything.
constexpr std::size_t kPartLeast = 3;

std::string lower(std::string_view text) {
  std::string small(text);
  std::ranges::transform(small, small.begin(), [](unsigned char letter) { return std::tolower(letter); });
  return small;
}

// Whole, and at every break between words: "North House 7" also as "north" and "house".
std::vector<std::string> words_of(std::span<const std::string> context) {
  std::vector<std::string> words;
  const auto add = [&words](std::string word) {
    if (word.size() >= kPartLeast && !std::ranges::contains(words, word)) words.push_back(std::move(word));
  };
  for (const std::string& text : context) {
    add(lower(text));
    std::string part;
    for (const char letter : lower(text) + ' ') {
      const bool breaks =
          std::isalnum(static_cast<unsigned char>(letter)) == 0 && static_cast<signed char>(letter) >= 0;
      if (breaks)
        add(std::exchange(part, {}));
      else
        part += letter;
    }
  }
  return words;
}

const char* made_of(const ZxcMatch_t* parts) {
  bool words = false;
  for (const ZxcMatch_t* part = parts; part != nullptr; part = part->Next) {
    const int type = part->Type & ~MULTIPLE_MATCH;
    if (type == USER_MATCH || type == USER_LEET_MATCH) return "the names of this site, of the product or of yours";
    words = words || ((type == DICTIONARY_MATCH || type == DICT_LEET_MATCH) && part->Length >= 4);
  }
  return words ? "common words and passwords" : "repeats, rows of keys or letters, or dates";
}

}  // namespace

Result<> check_not_guessable(std::string_view password, std::span<const std::string> context) {
  const std::vector<std::string> words = words_of(context);
  std::vector<const char*> dictionary;
  for (const std::string& word : words) dictionary.push_back(word.c_str());
  dictionary.push_back(nullptr);
  ZxcMatch_t* parts = nullptr;
  const double bits = ::ZxcvbnMatch(std::string(password).c_str(), dictionary.data(), &parts);
  const std::unique_ptr<ZxcMatch_t, decltype([](ZxcMatch_t* list) { ::ZxcvbnFreeInfo(list); })> list(parts);
  if (bits >= kBitsLeast) return {};
  return fail(Errc::invalid_argument,
              std::format("this password is among the first that are guessed: it is made of {}; "
                          "take a few words that only you would put together",
                          made_of(parts)));
}

}  // namespace rltune::access
