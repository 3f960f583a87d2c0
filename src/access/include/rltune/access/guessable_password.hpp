// Whether a password is among the first that somebody tries who knows this place: common and breached passwords, words,
// names, rows of keys, dates, repeats, and words of the context. The judgement, with its lists, is zxcvbn's (Debian's
// libzxcvbn; D. Wheeler, "zxcvbn: Low-Budget Password Strength Estimation", USENIX Security 2016): nothing has to be
// asked on the internet.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "rltune/base/error.hpp"

namespace rltune::access {

// `context`: "RLTune", the site's name, the user's; their parts count as well. Errors: invalid_argument, with what the
// password is made of and never the password. A few milliseconds at most for passwords of check_password_form().
Result<> check_not_guessable(std::string_view password, std::span<const std::string> context);

}  // namespace rltune::access
