#include "cookies.hpp"

#include <format>

namespace rltune::gateway {

std::string cookie_value(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(';'), header.size());
    std::string_view pair = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
      pair.remove_prefix(name.size() + 1);
      return std::string(pair);
    }
  }
  return {};
}

std::string set_cookie(std::string_view name, std::string_view value, std::chrono::seconds life, SameSite same_site) {
  return std::format("{}={}; Path=/; Secure; HttpOnly; SameSite={}; Max-Age={}", name, value,
                     same_site == SameSite::strict ? "Strict" : "Lax", life.count());
}

}  // namespace rltune::gateway
