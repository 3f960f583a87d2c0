// What is made of the table of operations beside the OpenAPI document: a client for TypeScript, and a page to read.
#pragma once

#include <string>
#include <string_view>

namespace rltune::api {

// One file without dependencies: a type for every message, and a class whose functions are named by operation id.
std::string typescript_client(std::string_view version);

struct ReferencePage {
  std::string html;
  std::string_view style;  // as it stands in its <style>: what a Content-Security-Policy takes the hash of
};

// One HTML page without scripts, pictures or anything from elsewhere.
ReferencePage reference_page(std::string_view version);

}  // namespace rltune::api
