// One call to coredinator, which passes it on to whom it concerns, in the name of who makes it.
//
// Threads: answers come on the Caller's thread, which is everybody's: what is made of a large one is made by a worker.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "call.hpp"
#include "rltune/bus/caller.hpp"
#include "workers.hpp"

namespace rltune::gateway {

inline constexpr std::chrono::milliseconds kPatience(5'000);

bus::CallOptions to(std::string method, std::string target, std::chrono::milliseconds timeout = kPatience);

// How an error of the bus is told: 404 for what is not found, 503 where nobody is there, 504 where no answer came.
Answer refusal_of(const Error& error);
// 503: the workers have no room for it.
Answer too_busy();

// nullopt: 0, which stands for none.
std::optional<TimePoint> time_of(std::int64_t unix_ns);

template <typename Request>
void send(bus::Caller& caller, const CallPointer& call, const bus::CallOptions& way, const Request& request,
          bus::Caller::Answered answered) {
  bus::CallOptions options = way;
  options.correlation_id = call->correlation_id;
  options.token = call->identity->name;
  std::string body;
  request.SerializeToString(&body);
  caller.call(options, std::move(body), std::move(answered));
}

// `told` makes an Answer of a Reply.
template <typename Reply, typename Told>
void tell(const Result<std::string>& answered, const Told& told, const Done& done) {
  if (!answered) return done(refusal_of(answered.error()));
  Reply reply;
  if (!reply.ParseFromString(*answered)) return done(refuse(502, "the site's answer is not one"));
  done(told(reply));
}

template <typename Reply, typename Request, typename Told>
void ask(bus::Caller& caller, const CallPointer& call, const bus::CallOptions& way, const Request& request, Told told,
         const Done& done) {
  send(caller, call, way, request,
       [told = std::move(told), done](const Result<std::string>& answered) { tell<Reply>(answered, told, done); });
}

// The same for an answer that may be large.
template <typename Reply, typename Request, typename Told>
void ask_for_much(bus::Caller& caller, Workers& workers, const CallPointer& call, const bus::CallOptions& way,
                  const Request& request, Told told, const Done& done) {
  send(caller, call, way, request, [&workers, told = std::move(told), done](Result<std::string> answered) {
    auto work = [answered = std::move(answered), told, done] { tell<Reply>(answered, told, done); };
    if (!workers.post(std::move(work))) done(too_busy());
  });
}

}  // namespace rltune::gateway
