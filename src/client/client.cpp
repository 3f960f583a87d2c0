#include "rltune/client/client.hpp"

#include <algorithm>
#include <format>

#include "rltune/api/problem.hpp"

namespace rltune::client {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~").contains(c);
}

std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += is_plain(c) ? std::string(1, c) : std::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

// REQUIRES: a part for each name in braces.
std::string path_of(std::string_view path, const Parts& parts) {
  std::string out;
  std::size_t part = 0;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t brace = std::min(path.find('{', at), path.size());
    out += path.substr(at, brace - at);
    if (brace == path.size()) break;
    RLTUNE_CHECK(part < parts.size());
    out += encoded(parts[part++]);
    at = path.find('}', brace) + 1;
  }
  RLTUNE_CHECK(part == parts.size());
  return out;
}

// "?after=2026-01-01&limit=10" of {"after": "2026-01-01", "limit": 10}.
std::string query_of(const std::string& query) {
  if (query.empty()) return {};
  const api::Json given = api::Json::parse(query);
  std::string out;
  for (const auto& [name, value] : given.items())
    out += std::format("{}{}={}", out.empty() ? "?" : "&", encoded(name),
                       encoded(value.is_string() ? value.get<std::string>() : value.dump()));
  return out;
}

Errc code_of(long status) {
  if (status == 401 || status == 403) return Errc::denied;
  if (status == 404) return Errc::not_found;
  if (status == 409) return Errc::mismatch;
  if (status == 504) return Errc::timeout;
  if (status == 429 || status == 503) return Errc::disconnected;
  return status < 500 ? Errc::invalid_argument : Errc::internal;
}

Error error_of(const http::Response& answer) {
  const auto problem = api::from_json<api::Problem>(answer.body);
  if (!problem) return {code_of(answer.status), std::format("the gateway answered {}", answer.status)};
  std::string message = problem->detail.empty() ? problem->title : problem->detail;
  if (problem->errors)
    for (const api::ProblemFault& fault : *problem->errors)
      message += std::format("; {} {}", fault.parameter ? *fault.parameter : fault.pointer.value_or(""), fault.detail);
  return {code_of(answer.status), std::move(message)};
}

}  // namespace

const api::Operation* find_operation(std::string_view id) {
  const auto found = std::ranges::find(api::operations(), id, &api::Operation::id);
  return found == api::operations().end() ? nullptr : &*found;
}

Client::Client(std::string url, http::ClientOptions options) : url_(std::move(url)), http_(std::move(options)) {
  while (url_.ends_with('/')) url_.pop_back();
}

Result<> Client::sign_in(const api::Login& login) { return keep(call<api::Tokens>("login", {}, login)); }

Result<> Client::sign_in_service(const api::ServiceLogin& login) {
  return keep(call<api::Tokens>("serviceToken", {}, login));
}

Result<> Client::keep(const Result<api::Tokens>& given) {
  if (!given) return std::unexpected(given.error());
  tokens_ = {.access_token = given->access_token.value_or(""), .refresh_token = given->refresh_token.value_or("")};
  return {};
}

bool Client::renewed() {
  if (tokens_.refresh_token.empty()) return false;
  const api::Refresh refresh{.refresh_token = tokens_.refresh_token};
  return keep(call<api::Tokens>("refresh", {}, refresh)).has_value();
}

Result<http::Response> Client::send(const api::Operation& operation, const std::string& target,
                                    const std::string& body) {
  http::Request request{.method = std::string(operation.method), .url = url_ + target, .headers = {}, .body = body};
  const bool open = operation.permission == api::Permission::open;
  if (!open && !tokens_.access_token.empty())
    request.headers.push_back({"Authorization", "Bearer " + tokens_.access_token});
  if (operation.request != nullptr) request.headers.push_back({"Content-Type", "application/json"});
  return http_.send(request);
}

Result<std::string> Client::call_json(const api::Operation& operation, const Parts& parts, const std::string& body,
                                      const std::string& query) {
  const std::string target = path_of(operation.path, parts) + query_of(query);
  auto answer = send(operation, target, body);
  const bool may_renew = operation.permission != api::Permission::open;
  if (answer && answer->status == 401 && may_renew && renewed()) answer = send(operation, target, body);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status >= 300) return std::unexpected(error_of(*answer));
  return std::move(answer->body);
}

}  // namespace rltune::client
