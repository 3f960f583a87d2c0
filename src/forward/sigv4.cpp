#include "sigv4.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <format>

#include "rltune/base/sha256.hpp"
#include "rltune/http/url.hpp"

namespace rltune::forward {
namespace {

std::string hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned int length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), sum.data(), &length);
  return {reinterpret_cast<const char*>(sum.data()), length};
}

std::string hexadecimal(std::string_view bytes) {
  std::string out;
  for (const unsigned char byte : bytes) out += std::format("{:02x}", byte);
  return out;
}

// RFC 3986, 2.3: everything but the unreserved.

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool encoded = text[i] == '%' && i + 2 < text.size() &&
                         std::isxdigit(static_cast<unsigned char>(text[i + 1])) &&
                         std::isxdigit(static_cast<unsigned char>(text[i + 2]));
    if (!encoded) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
    i += 2;
  }
  return out;
}

struct Parts {
  std::string_view host, path, query;
};

Parts parts_of(std::string_view url) {
  url.remove_prefix(std::min(url.size(), url.find("://") == std::string_view::npos ? 0 : url.find("://") + 3));
  Parts parts;
  parts.host = url.substr(0, url.find_first_of("/?#"));
  url.remove_prefix(parts.host.size());
  parts.host.remove_prefix(parts.host.rfind('@') + 1);  // 0 where there is none
  url = url.substr(0, url.find('#'));
  const std::size_t query = url.find('?');
  parts.path = url.substr(0, query);
  if (query != std::string_view::npos) parts.query = url.substr(query + 1);
  if (parts.path.empty()) parts.path = "/";
  return parts;
}

// Sorted by name, then value, both encoded anew.
std::string canonical_query(std::string_view query) {
  std::vector<std::string> pairs;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const std::string_view name = pair.substr(0, pair.find('='));
    const std::string_view value = name.size() < pair.size() ? pair.substr(name.size() + 1) : "";
    if (!pair.empty())
      pairs.push_back(http::percent_encoded(percent_decoded(name)) + "=" +
                      http::percent_encoded(percent_decoded(value)));
  }
  std::ranges::sort(pairs);
  std::string out;
  for (const std::string& pair : pairs) out += (out.empty() ? "" : "&") + pair;
  return out;
}

struct CanonicalHeaders {
  std::string lines, names;
};

CanonicalHeaders canonical(std::vector<http::Header> headers) {
  for (http::Header& header : headers)
    std::ranges::transform(header.name, header.name.begin(), [](unsigned char c) { return std::tolower(c); });
  std::ranges::sort(headers, {}, &http::Header::name);
  CanonicalHeaders out;
  for (const http::Header& header : headers) {
    out.lines += header.name + ":" + header.value + "\n";
    out.names += (out.names.empty() ? "" : ";") + header.name;
  }
  return out;
}

}  // namespace

std::string amazon_time(TimePoint now) {
  return std::format("{:%Y%m%dT%H%M%SZ}", std::chrono::floor<std::chrono::seconds>(now));
}

std::string host_of(std::string_view url) { return std::string(parts_of(url).host); }

std::string sigv4_authorization(std::string_view method, std::string_view url, const std::vector<http::Header>& headers,
                                std::string_view body, const AwsCredentials& credentials, TimePoint now) {
  const Parts parts = parts_of(url);
  const CanonicalHeaders named = canonical(headers);
  const std::string request = std::format("{}\n{}\n{}\n{}\n{}\n{}", method, http::percent_encoded(parts.path, "/"),
                                          canonical_query(parts.query), named.lines, named.names, sha256(body));
  const std::string time = amazon_time(now), day = time.substr(0, 8);
  const std::string scope = std::format("{}/{}/{}/aws4_request", day, credentials.region, credentials.service);
  const std::string to_sign = std::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time, scope, sha256(request));
  std::string key = "AWS4" + credentials.secret;
  for (const std::string_view part : {std::string_view(day), std::string_view(credentials.region),
                                      std::string_view(credentials.service), std::string_view("aws4_request")})
    key = hmac(key, part);
  return std::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}", credentials.key_id, scope,
                     named.names, hexadecimal(hmac(key, to_sign)));
}

}  // namespace rltune::forward
