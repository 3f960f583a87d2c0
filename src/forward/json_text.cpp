#include "json_text.hpp"

#include <algorithm>
#include <cstdlib>

namespace rltune::forward {
namespace {

std::string written(std::string_view text) {
  const std::unique_ptr<yyjson_mut_doc, decltype(&yyjson_mut_doc_free)> document(yyjson_mut_doc_new(nullptr),
                                                                                 &yyjson_mut_doc_free);
  yyjson_mut_doc_set_root(document.get(), yyjson_mut_strn(document.get(), text.data(), text.size()));
  std::size_t length = 0;
  const std::unique_ptr<char, decltype(&std::free)> bytes(yyjson_mut_write(document.get(), 0, &length), &std::free);
  return bytes ? std::string(bytes.get(), length) : std::string();
}

}  // namespace

std::string as_json(std::string_view text) {
  if (std::string out = written(text); !out.empty()) return out;
  std::string ascii(text);
  std::ranges::replace_if(ascii, [](unsigned char c) { return c >= 0x80; }, '?');
  return written(ascii);
}

bool is_object(std::string_view text) {
  const Document document = parse_json(text);
  return document && yyjson_is_obj(yyjson_doc_get_root(document.get()));
}

}  // namespace rltune::forward
