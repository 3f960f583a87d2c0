// Secrets have no place in a configuration: it names the file or the environment variable that holds them.
#pragma once

#include <string>
#include <string_view>

namespace rltune::config {

// What kind of secret the text looks like ("a private key"), or empty. Knows formats, not entropy: a short password
// is recognised by the name of its field alone.
std::string_view secret_in(std::string_view text);

// "password", "api_token": a field of such a name holds a secret. References do not: "password_file".
bool is_secret_name(std::string_view name);

// The text with every value that is or looks like a secret replaced, line by line; for printing what was not checked.
std::string redact(std::string_view text);

}  // namespace rltune::config
