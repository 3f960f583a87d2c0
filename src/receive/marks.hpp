// Which records of which source were taken, of one stream: docs/formats/telemetry-receive.md. Internal.
//
// Threads: one at a time.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "rltune/receive/spans.hpp"

namespace rltune::receive {

struct StreamMarks {
  std::uint64_t upto = 0;  // the last record of the buffer that `taken` knows of
  std::map<std::string, Spans> taken;
};
using Marks = std::map<std::string, StreamMarks>;  // by stream

std::string to_text(const Marks& marks);
// Errors: corrupt.
Result<Marks> parse_marks(std::string_view text);
// Adds what the buffer has behind `upto`. Errors: io.
Result<> catch_up(StreamMarks& marks, telemetry::RecordSource& buffer);

}  // namespace rltune::receive
