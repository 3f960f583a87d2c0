#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <format>
#include <set>

#include "site_check.hpp"

namespace rltune::config {
namespace {

bool is_port(std::string_view text) {
  int port = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && stopped == text.data() + text.size() && port > 0 && port < 65'536;
}

// As a browser writes it in the header Origin, which is compared to the letter.
bool is_origin(std::string_view text) {
  const bool plain = text.starts_with("http://");
  if (!plain && !text.starts_with("https://")) return false;
  text.remove_prefix(plain ? 7 : 8);
  const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == text.npos) return false;
  const std::size_t host_end = text.find(':', bracket);
  const std::string_view host = text.substr(0, host_end), rest = text.substr(std::min(host.size(), text.size()));
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || std::string_view("-.[]:").contains(c);
  };
  return !host.empty() && std::ranges::all_of(host, allowed) &&
         (rest.empty() || (rest.starts_with(':') && is_port(rest.substr(1)) && rest != (plain ? ":80" : ":443")));
}

// As the gateway writes the address of who calls, with which it is compared to the letter.
bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> written{};
  const int family = text.contains(':') ? AF_INET6 : AF_INET;
  return ::inet_pton(family, text.c_str(), bytes.data()) == 1 &&
         ::inet_ntop(family, bytes.data(), written.data(), written.size()) != nullptr && text == written.data();
}

}  // namespace

void check_gateway(const Gateway& gateway, Faults& faults) {
  std::set<std::string> limited;
  for (std::size_t i = 0; i < gateway.limits.size(); ++i)
    if (!limited.insert(gateway.limits[i].operation).second)
      faults.add(std::format("gateway.limits[{}].operation", i), "has its limit already");
  for (std::size_t i = 0; i < gateway.exempt_addresses.size(); ++i)
    if (!is_address(gateway.exempt_addresses[i]))
      faults.add(std::format("gateway.exempt_addresses[{}]", i),
                 "must be one address in its shortest form: 10.0.0.7, ::1; no names, no ranges");
  for (std::size_t i = 0; i < gateway.allowed_origins.size(); ++i)
    if (!is_origin(gateway.allowed_origins[i]))
      faults.add(std::format("gateway.allowed_origins[{}]", i),
                 "must be as a browser says it: https://host or https://host:port, in small letters, nothing behind");
}

}  // namespace rltune::config
