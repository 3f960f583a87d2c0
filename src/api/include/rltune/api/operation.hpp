// Every operation of the API, once: how it is called, who may call it, what goes in and what comes out. The gateway
// serves these and nothing else; the OpenAPI document is made of them.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "rltune/api/permission.hpp"

namespace rltune::api {

class Schemas;
// Adds to a list of OpenAPI's parameters what an operation takes behind the question mark.
using QueryOf = void (*)(Schemas&, nlohmann::ordered_json& parameters);
template <typename T>
void query_of(Schemas& schemas, nlohmann::ordered_json& parameters);  // schemas.hpp
// Adds the schema of one message, and of those within it, and returns its name.
using SchemaOf = std::string (*)(Schemas&);
template <typename T>
std::string schema_of(Schemas& schemas);  // schemas.hpp

struct Operation {
  std::string_view id;            // "setMode": unique, the name of the function in a generated client
  std::string_view method, path;  // "PUT", "/api/v1/plant/setpoints/{tag}"
  Permission permission = Permission::users_manage;
  std::string_view group;  // "plant"
  std::string_view summary, description;
  QueryOf query = nullptr;                       // nullptr: no parameter is taken
  SchemaOf request = nullptr, answer = nullptr;  // nullptr: none
  bool redirects = false;                        // what is done ends in a redirect (302): for browsers
  bool accepted = false;                         // answered at once (202), and done afterwards
};

std::span<const Operation> operations();
inline constexpr std::size_t kPartBytesMax = 200;  // of what stands for a name in a path

// OpenAPI 3.1, as JSON.
std::string openapi(std::string_view version);

}  // namespace rltune::api
