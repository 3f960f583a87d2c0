// What went wrong, as every error is told (RFC 9457).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/api/field.hpp"

namespace rltune::api {

struct ProblemFault {
  static constexpr std::string_view kSchema = "ProblemFault";
  std::string detail;
  std::optional<std::string> pointer, parameter;
};
template <typename Visitor>
void describe(Visitor& v, ProblemFault& fault) {
  v.field("pointer", fault.pointer, {.note = "where in the message (RFC 6901); empty: the whole of it"});
  v.field("parameter", fault.parameter, {.note = "or which one of the query"});
  v.field("detail", fault.detail, {.note = "what is wrong there"});
}

struct Problem {
  static constexpr std::string_view kSchema = "Problem";
  std::string type = "about:blank", title, detail;
  std::uint64_t status = 500;
  std::optional<std::string> correlation_id;
  std::optional<std::vector<ProblemFault>> errors;
};
template <typename Visitor>
void describe(Visitor& v, Problem& problem) {
  v.field("type", problem.type, {.note = "about:blank: the status says it"});
  v.field("title", problem.title, {.note = "of the status"});
  v.field("status", problem.status, {.note = "of HTTP", .low = 400, .high = 599});
  v.field("detail", problem.detail, {.note = "what happened, and what to do", .length_max = 4'000});
  v.field("correlation_id", problem.correlation_id, {.note = "by which the log has more of it"});
  v.field("errors", problem.errors, {.note = "every field that is wrong"});
}

}  // namespace rltune::api
