// Calls from outside: any two frames are answered or dropped.
#include <cstdint>

#include "dispatcher.hpp"
#include "rltune/v1/control.pb.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static rltune::bus::Dispatcher dispatcher = [] {
    rltune::bus::Dispatcher made{rltune::Duration::zero()};
    made.handle("", [](const rltune::bus::Call&, std::string_view body, std::string& answer) -> rltune::Result<> {
      rltune::v1::Proposal proposal;
      if (!proposal.ParseFromArray(body.data(), static_cast<int>(body.size())))
        return rltune::fail(rltune::Errc::parse, "not a proposal");
      proposal.SerializeToString(&answer);
      return {};
    });
    return made;
  }();
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = size == 0 ? 0 : data[0] % (size + 1);
  const std::array frames{bytes.substr(0, cut), bytes.substr(cut)};
  std::string head, body;
  dispatcher.dispatch(frames, "fuzzer", rltune::TimePoint{}, head, body);
  dispatcher.dispatch(std::span(frames).first(size % 3 == 0 ? 1 : 2), bytes, rltune::TimePoint{}, head, body);
  return 0;
}
