#include "dispatcher.hpp"

#include <exception>

#include "rltune/v1/envelope.pb.h"

namespace rltune::bus {

void Dispatcher::handle(const std::string& method, Server::Handler handler) { handlers_[method] = std::move(handler); }

Result<> Dispatcher::run(const Call& call, std::string_view body, std::string& answer) {
  const auto found = handlers_.find(call.method);
  const Server::Handler* handler = found != handlers_.end() ? &found->second : rest_ ? &rest_ : nullptr;
  if (handler == nullptr) return fail(Errc::not_found, "no method '" + std::string(call.method) + "' is served here");
  try {
    return (*handler)(call, body, answer);
  } catch (const std::exception& caught) {
    return fail(Errc::internal, std::string(call.method) + ": " + caught.what());
  }
}

bool Dispatcher::dispatch(std::span<const std::string_view> frames, std::string_view caller, TimePoint now,
                          std::string& head, std::string& body) {
  v1::Envelope envelope;
  if (frames.size() != 2 || !envelope.ParseFromArray(frames[0].data(), static_cast<int>(frames[0].size()))) {
    ++dropped_;
    return false;
  }
  const std::int64_t tolerated_ns = (now - tolerance_).time_since_epoch().count();
  if (envelope.deadline_unix_ns() != 0 && envelope.deadline_unix_ns() < tolerated_ns) {
    ++dropped_;
    return false;
  }
  body.clear();
  v1::Answer answer;
  answer.set_call(envelope.call());
  const Call call{envelope.method(), envelope.target(), envelope.correlation_id(), caller};
  if (auto done = run(call, frames[1], body); !done) {
    body.clear();
    answer.set_error_code(to_string(done.error().code));
    answer.set_error_message(done.error().message);
  }
  return answer.SerializeToString(&head);
}

Errc errc_of(std::string_view name) noexcept {
  for (int i = 0; i < static_cast<int>(Errc::internal); ++i)
    if (name == to_string(static_cast<Errc>(i))) return static_cast<Errc>(i);
  return Errc::internal;
}

}  // namespace rltune::bus
