// Words in messages: the nearest valid one to a misspelt one, and lists of what is allowed.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace rltune::config {

// The candidate with the fewest edits, or empty when none is near enough to be meant.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);
// "a, b, c"; long lists are cut.
std::string list_of(std::span<const std::string_view> words);
// "; did you mean 'b'?", or "; the names here are a, b, c".
std::string suggest(std::string_view word, std::span<const std::string_view> candidates);
// For quoting someone's text in a message: cut to a readable length, control characters and secrets replaced.
std::string shown(std::string_view text);
// Whole numbers without an exponent.
std::string show_number(double value);

}  // namespace rltune::config
