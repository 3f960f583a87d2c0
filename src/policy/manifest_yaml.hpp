// manifest.yaml as text: docs/formats/policy-artifact.md. Strict in both directions: a field that is missing,
// unknown or of the wrong type is refused and named.
#pragma once

#include <string>

#include "rltune/policy/artifact.hpp"

namespace rltune::policy {

// Ends with the line "sha256: ..." over everything before it.
std::string write_manifest(const Manifest& manifest);

// Errors: corrupt (the last line's hash is not that of the rest), parse (field and reason).
Result<Manifest> read_manifest(const std::string& text);

}  // namespace rltune::policy
