// NAME=VALUE of a command line as a call: names of the path stand in it, the others in its query or its message.
#pragma once

#include <string>
#include <vector>

#include "rltune/client/client.hpp"

namespace rltune::api_app {

struct Arguments {
  client::Parts parts;
  std::string body, query;  // JSON; empty: the operation takes none
};

// A value is text where a text is meant, otherwise JSON. Errors: invalid_argument: what is missing, or not
// known.
Result<Arguments> arguments_of(const api::Operation& operation, const std::vector<std::string>& given);

// "agent=TEXT verb=start|stop reason=TEXT", as a person types it.
std::string usage_of(const api::Operation& operation);

}  // namespace rltune::api_app
