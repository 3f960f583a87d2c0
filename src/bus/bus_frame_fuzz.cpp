// Bytes from outside, in whichever pieces they come: every whole message is answered or dropped.
#include <algorithm>
#include <cstdint>

#include "dispatcher.hpp"
#include "message_reader.hpp"
#include "rltune/v1/control.pb.h"
#include "rltune/v1/envelope.pb.h"

namespace {

rltune::bus::Dispatcher made() {
  rltune::bus::Dispatcher dispatcher;
  dispatcher.handle("", [](const rltune::bus::Call&, std::string_view body, std::string& answer) -> rltune::Result<> {
    rltune::v1::Proposal proposal;
    if (!proposal.ParseFromArray(body.data(), static_cast<int>(body.size())))
      return rltune::fail(rltune::Errc::parse, "not a proposal");
    proposal.SerializeToString(&answer);
    return {};
  });
  return dispatcher;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static rltune::bus::Dispatcher dispatcher = made();
  const std::size_t piece = size == 0 ? 1 : data[0] % 64 + 1U;
  rltune::bus::MessageReader reader;
  rltune::v1::Envelope envelope;
  std::string head, body;
  for (std::size_t at = std::min<std::size_t>(size, 1); at < size && !reader.broken();) {
    const auto room = reader.room();
    const std::size_t bytes = std::min({piece, size - at, room.size()});
    std::copy_n(data + at, bytes, room.begin());
    reader.took(bytes);
    at += bytes;
    while (const auto call = reader.next())
      if (envelope.ParseFromArray(call->head.data(), static_cast<int>(call->head.size())))
        dispatcher.dispatch(envelope, call->body, head, body);
  }
  return 0;
}
