// The language of expressions, as tokens: what ExprTk would take beyond it (loops, assignment, strings,
// vectors, several statements) is refused here, so that ExprTk sees arithmetic and known names only.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::config {

struct ExpressionText {
  std::string text;               // previous(x) rewritten to previous.x, columns kept
  std::vector<std::size_t> used;  // indices into names, ascending
  std::vector<std::size_t> used_previous;
};

inline constexpr std::size_t kExpressionBytesMax = 4096;
inline constexpr int kExpressionDepthMax = 64;

// Errors: parse, not_found; the message starts with the column.
Result<ExpressionText> scan_expression(const std::string& text, std::span<const std::string> names);
bool is_expression_word(std::string_view name);

}  // namespace rltune::config
