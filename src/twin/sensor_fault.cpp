#include "sensor_fault.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace rltune::twin {
namespace {

constexpr std::array<std::pair<std::string_view, FaultKind>, 8> kNames{{{"none", FaultKind::none},
                                                                        {"stuck", FaultKind::stuck},
                                                                        {"nan", FaultKind::nan},
                                                                        {"infinite", FaultKind::infinite},
                                                                        {"bad_status", FaultKind::bad_status},
                                                                        {"dropout", FaultKind::dropout},
                                                                        {"wrong_type", FaultKind::wrong_type},
                                                                        {"value", FaultKind::value}}};

std::string_view next_word(std::string_view& text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return text = {};
  const std::size_t end = std::min(text.find(' ', begin), text.size());
  const std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

}  // namespace

Result<FaultRequest> parse_fault(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return fail(Errc::invalid_argument, std::format("fault '{}': {}; write TAG none|stuck|nan|infinite|bad_status|"
                                                    "dropout|wrong_type, or TAG value NUMBER",
                                                    text, why));
  };
  std::string_view rest = text;
  FaultRequest request{.tag = std::string(next_word(rest)), .fault = {}};
  const std::string_view kind = next_word(rest);
  const auto* found = std::ranges::find(kNames, kind, &std::pair<std::string_view, FaultKind>::first);
  if (found == kNames.end()) return wrong("unknown kind");
  request.fault.kind = found->second;
  const std::string_view number = next_word(rest);
  if (request.fault.kind != FaultKind::value)
    return number.empty() ? Result<FaultRequest>(request) : wrong("too many words");
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), request.fault.value);
  if (parsed.ec != std::errc() || parsed.ptr != number.data() + number.size()) return wrong("not a number");
  return request;
}

bool apply_fault(const SensorFault& fault, const TagValue& healthy, TagValue& shown) {
  if (fault.kind == FaultKind::dropout) return false;
  TagContent content = healthy.content;
  if (fault.kind == FaultKind::stuck) content = shown.content;
  if (fault.kind == FaultKind::nan) content = std::numeric_limits<double>::quiet_NaN();
  if (fault.kind == FaultKind::infinite) content = std::numeric_limits<double>::infinity();
  if (fault.kind == FaultKind::wrong_type) content = std::string("not a number");
  if (fault.kind == FaultKind::value) content = fault.value;
  shown = {std::move(content), healthy.source_time,
           fault.kind == FaultKind::bad_status ? TagStatus::sensor_failure : healthy.status};
  return true;
}

}  // namespace rltune::twin
