// How the messages of the API tell of themselves: each struct names its schema and describes each of its fields once;
// the reader, the writer and the OpenAPI document are visitors of that, so that they cannot differ.
//
//   struct Login {
//     static constexpr std::string_view kSchema = "Login";
//     std::string user, password;
//   };
//   template <typename Visitor>
//   void describe(Visitor& v, Login& login) {
//     v.field("user", login.user, {.note = "as in users.yaml", .length_max = 64});
//     ...
//
// A field may be std::string, double, std::uint64_t, bool, TimePoint, another such struct, a std::vector of these or a
// std::map from std::string to them. A std::optional one may be missing; all others have to be there. In a
// list a std::optional number may be null.
#pragma once

#include <limits>
#include <span>
#include <string_view>

namespace rltune::api {

struct Rule {
  std::string_view note;
  std::span<const std::string_view> words{};  // of a text: nothing else is allowed
  std::size_t length_max = 1'000;             // bytes of a text, entries of a list or a map
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool secret = false;  // never shown back, never logged
};

}  // namespace rltune::api
