// gzip (RFC 1952) of whole texts.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "rltune/base/error.hpp"

namespace rltune::forward {

std::string gzip(std::string_view bytes);
// Outside bytes: whatever they are. Memory: as much as comes out, at most `bytes_max`. Errors: parse: no gzip, cut
// short, or something behind it; no_space: more than `bytes_max` would come out.
Result<std::string> gunzip(std::string_view bytes, std::size_t bytes_max);

}  // namespace rltune::forward
