// A text as JSON holds it (RFC 8259), without a document around it: for lines that are written by the thousand.
#pragma once

#include <string>
#include <string_view>

namespace rltune {

// In quotes. REQUIRES: UTF-8.
void append_json_text(std::string& to, std::string_view text);
// What is no UTF-8 becomes so: U+FFFD stands for it.
void append_any_json_text(std::string& to, std::string_view text);
// What append_json_text() made of a text, without its quotes, as it was before.
std::string unescaped_json_text(std::string_view text);

}  // namespace rltune
