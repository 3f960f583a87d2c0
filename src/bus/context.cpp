#include "context.hpp"

#include <zmq.h>

#include "rltune/base/check.hpp"

namespace rltune::bus {

Context::Context() : state_(std::make_unique<State>()) {
  state_->handle = zmq_ctx_new();
  RLTUNE_CHECK(state_->handle != nullptr);
}

Context::~Context() {
  zmq_ctx_shutdown(state_->handle);
  while (zmq_ctx_term(state_->handle) != 0 && zmq_errno() == EINTR) {
  }
}

}  // namespace rltune::bus
