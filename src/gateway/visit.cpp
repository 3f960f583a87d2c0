#include "visit.hpp"

#include <format>

#include "accept_encoding.hpp"
#include "rltune/base/id.hpp"
#include "rltune/base/log.hpp"

namespace rltune::gateway {
namespace {

constexpr std::size_t kCorrelationMax = 64, kShownMax = 200, kOriginMax = 300;

bool is_correlation_id(std::string_view text) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:";
  return !text.empty() && text.size() <= kCorrelationMax && text.find_first_not_of(kAllowed) == text.npos;
}

}  // namespace

std::string header_of(const webserver::Request& request, const std::string& name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? std::string() : found->second;
}

std::string cut(std::string_view text) {
  std::size_t end = std::min(text.size(), kShownMax);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end));
}

Visit visit_of(const webserver::Request& request, const Clock& clock) {
  Visit visit{.correlation_id = header_of(request, "x-correlation-id"),
              .address = request.peer,
              .origin = header_of(request, "origin").substr(0, kOriginMax),
              .takes_gzip = takes_gzip(header_of(request, "accept-encoding")),
              .begun = clock.steady()};
  if (!is_correlation_id(visit.correlation_id)) visit.correlation_id = make_id(clock.now());
  return visit;
}

Duration log_visit(const Visit& visit, const Outcome& outcome, const Clock& clock) {
  const log::Correlation correlation(visit.correlation_id);
  const Duration took = clock.steady() - visit.begun;
  const std::string operation(outcome.operation), status = std::to_string(outcome.status),
                                                  took_us = std::format("{:.0f}", 1e6 * to_seconds(took)),
                                                  account(outcome.account), bytes = std::to_string(outcome.bytes);
  if (outcome.request.empty())
    log::info("request", {{"operation", operation},
                          {"status", status},
                          {"took_us", took_us},
                          {"account", account},
                          {"address", visit.address},
                          {"bytes", bytes}});
  else
    log::info("request", {{"operation", operation},
                          {"status", status},
                          {"took_us", took_us},
                          {"address", visit.address},
                          {"bytes", bytes},
                          {"request", cut(outcome.request)}});
  return took;
}

void vary(webserver::Response& response, std::string_view header) {
  std::string& names = response.headers["Vary"];
  if (!names.empty()) names += ", ";
  names += header;
}

}  // namespace rltune::gateway
