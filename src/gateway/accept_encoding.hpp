// Accept-Encoding (RFC 9110, 12.5.3): what a client says it can unpack.
#pragma once

#include <string_view>

namespace rltune::gateway {

// Whether it takes gzip, and likes it no less than the plain bytes. What is malformed counts as not said.
bool takes_gzip(std::string_view header);

}  // namespace rltune::gateway
