// Texts within URLs and forms.
#pragma once

#include <string>
#include <string_view>

namespace rltune::http {

// RFC 3986: all but letters, digits, "-._~" and those of `also` as %XX.
std::string percent_encoded(std::string_view text, std::string_view also = {});

}  // namespace rltune::http
