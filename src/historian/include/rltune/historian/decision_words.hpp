// What the codes of a decision's record mean, in the words of docs/formats/decision-log.md. A code without a word is
// "code N".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rltune::historian {

std::string mode_word(std::uint8_t mode);                      // "automatic"
std::string action_word(std::uint8_t action);                  // "clamped"
std::vector<std::string> reason_words(std::uint32_t reasons);  // {"limit_high", "rate"}

}  // namespace rltune::historian
