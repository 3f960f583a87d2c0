// A call of the API on its way through the gateway, and what is answered.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rltune/api/json.hpp"
#include "rltune/api/operation.hpp"
#include "rltune/api/query.hpp"
#include "visit.hpp"

namespace rltune::gateway {

// Who calls, as the door found out.
struct Identity {
  std::string name;
  api::Role role = api::Role::viewer;
  std::string session;     // empty: a service
  bool by_cookie = false;  // a browser sent it by itself
};

struct Call : Visit {
  const api::Operation* operation = nullptr;
  std::optional<Identity> identity;  // there is one unless the operation is open
  std::string client, refresh_cookie, attempt_cookie;
  std::vector<std::string> parts;  // what stands for the names in the path
  api::Parameters parameters;      // behind the question mark
  std::string body;
};
using CallPointer = std::shared_ptr<const Call>;

struct Answer {
  int status = 204;
  std::string body;                              // JSON; empty: none
  std::vector<std::string> cookies;              // Set-Cookie
  std::map<std::string, std::string> headers{};  // beside those that every answer has
  std::string detail;                            // of a problem, where status is 400 or more
  api::Faults faults;
};

inline Answer refuse(int status, std::string detail) { return {.status = status, .detail = std::move(detail)}; }
template <typename T>
Answer answer(const T& message) {
  return {.status = 200, .body = api::to_json(message)};
}

using Done = std::function<void(Answer)>;
// Must not wait. Done is called once, from any thread.
using Handler = std::function<void(const CallPointer&, Done)>;
using Handlers = std::map<std::string_view, Handler>;  // by the operation's id

inline constexpr const char* kParametersWrong = "the parameters are not as they should be";

// A handler that takes a message; a body that is none is answered with what is wrong with it.
template <typename Request, typename Work>
Handler taking(Work work) {
  return [work = std::move(work)](const CallPointer& call, const Done& done) {
    auto request = api::from_json<Request>(call->body);
    if (!request)
      return done({.status = 422, .detail = "the message is not as it should be", .faults = request.error()});
    work(call, std::move(*request), done);
  };
}

// A handler that takes parameters behind the question mark.
template <typename Query, typename Work>
Handler asking(Work work) {
  return [work = std::move(work)](const CallPointer& call, const Done& done) {
    auto query = api::from_query<Query>(call->parameters);
    if (!query) return done({.status = 422, .detail = kParametersWrong, .faults = query.error()});
    work(call, *query, done);
  };
}

}  // namespace rltune::gateway
