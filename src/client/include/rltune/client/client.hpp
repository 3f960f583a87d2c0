// Calls of a gateway's API: the messages are those of rltune/api, the operations those of its table.
//
//   client::Client site("https://localhost:8443", {.ca_file = "data/access/certificate.pem"});
//   if (auto in = site.sign_in({.user = "ada", .password = password}); !in) ...
//   Result<api::ModeState> mode = site.call<api::ModeState>("setMode", {}, api::ModeOrder{"manual", "cleaning"});
//
// An access token that has ended is renewed once by itself. Threads: a client belongs to one thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/api/account.hpp"
#include "rltune/api/json.hpp"
#include "rltune/api/operation.hpp"
#include "rltune/base/check.hpp"
#include "rltune/http/client.hpp"

namespace rltune::client {

// What stands for the names in braces of a path, in their order.
using Parts = std::vector<std::string>;

// What a sign-in gave; to be kept like a password.
struct Tokens {
  std::string access_token, refresh_token;  // a service has no refresh token
};

// nullptr: the API has none of that id.
const api::Operation* find_operation(std::string_view id);

class Client {
 public:
  explicit Client(std::string url, http::ClientOptions options = {});

  Result<> sign_in(const api::Login& login);
  Result<> sign_in_service(const api::ServiceLogin& login);
  // Goes on with what an earlier client had.
  void use(Tokens tokens) { tokens_ = std::move(tokens); }
  const Tokens& tokens() const noexcept { return tokens_; }

  // Errors: what the gateway's problem document says, with the fields that are wrong; denied (401, 403), not_found,
  // invalid_argument (4xx), mismatch (409), timeout (504), disconnected (429, 503), internal; parse: no such message.
  // REQUIRES: the operation is in the table and takes and answers these messages.
  template <typename Answer, typename Request>
  Result<Answer> call(std::string_view operation, const Parts& parts, const Request& request) {
    return read<Answer>(call_json(typed<Answer>(operation, &api::schema_of<Request>), parts, api::to_json(request)));
  }
  template <typename Answer>
  Result<Answer> call(std::string_view operation, const Parts& parts = {}) {
    return read<Answer>(call_json(typed<Answer>(operation, nullptr), parts, {}));
  }
  // Of an operation that takes parameters behind the question mark, which is no more of a message to it.
  template <typename Answer, typename Query>
  Result<Answer> ask(std::string_view operation, const Parts& parts, const Query& query) {
    const api::Operation& typed_one = typed<Answer>(operation, nullptr);
    RLTUNE_CHECK(typed_one.query == &api::query_of<Query>);
    return read<Answer>(call_json(typed_one, parts, {}, api::to_json(query)));
  }
  // The body of the answer; empty where it has none. `query`: the parameters as a JSON object.
  Result<std::string> call_json(const api::Operation& operation, const Parts& parts, const std::string& body,
                                const std::string& query = {});

 private:
  template <typename Answer>
  static const api::Operation& typed(std::string_view id, api::SchemaOf request) {
    const api::Operation* operation = find_operation(id);
    RLTUNE_CHECK(operation != nullptr && operation->request == request && operation->answer == &api::schema_of<Answer>);
    return *operation;
  }
  template <typename Answer>
  static Result<Answer> read(const Result<std::string>& body) {
    if (!body) return std::unexpected(body.error());
    auto answer = api::from_json<Answer>(*body);
    if (!answer) return fail(Errc::parse, "the gateway's answer is of another version: " + answer.error()[0].pointer);
    return std::move(*answer);
  }
  Result<http::Response> send(const api::Operation& operation, const std::string& target, const std::string& body);
  Result<> keep(const Result<api::Tokens>& given);
  bool renewed();

  std::string url_;
  http::Client http_;
  Tokens tokens_;
};

}  // namespace rltune::client
