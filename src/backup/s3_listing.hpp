// What an S3 server says, in XML: the names of objects, and why it refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::backup {

struct S3Listing {
  struct Object {
    std::string key;
    std::uint64_t bytes = 0;
  };
  std::vector<Object> objects;
  std::string next;  // the token of the page that follows; empty at the end
};

// Of ListObjectsV2. Errors: parse.
Result<S3Listing> parse_listing(std::string_view xml);
// "AccessDenied: ..." of an <Error>, printable and short; empty where it is none.
std::string reason_of(std::string_view xml);

}  // namespace rltune::backup
