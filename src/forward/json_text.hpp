// JSON as text, put together from parts that are JSON already. Internal.
#pragma once

#include <yyjson.h>

#include <memory>
#include <string>
#include <string_view>

namespace rltune::forward {

struct FreeDocument {
  void operator()(yyjson_doc* document) const noexcept { yyjson_doc_free(document); }
};
using Document = std::unique_ptr<yyjson_doc, FreeDocument>;

// None where it is no JSON.
inline Document parse_json(std::string_view text) {
  return Document(yyjson_read_opts(const_cast<char*>(text.data()), text.size(), 0, nullptr, nullptr));
}
inline std::string_view text_of(yyjson_val* value) noexcept {
  return yyjson_is_str(value) ? std::string_view(yyjson_get_str(value), yyjson_get_len(value)) : std::string_view();
}
inline yyjson_val* field(yyjson_val* object, std::string_view name) noexcept {
  return yyjson_obj_getn(object, name.data(), name.size());
}

// The text as JSON has it, in quotes; of what is no UTF-8 each such byte becomes '?'.
std::string as_json(std::string_view text);
bool is_object(std::string_view text);

}  // namespace rltune::forward
