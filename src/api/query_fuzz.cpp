// Whatever stands behind a question mark: faults that name a parameter, or a query.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "rltune/api/audit.hpp"
#include "rltune/api/query.hpp"
#include "rltune/api/runs.hpp"

namespace {

template <typename T>
void check(const rltune::api::Parameters& parameters) {
  const auto query = rltune::api::from_query<T>(parameters);
  if (!query && query.error().empty()) std::abort();
  if (query && !parameters.twice.empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  rltune::api::Parameters parameters;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t equals = std::min(line.find('='), line.size());
    std::string name(line.substr(0, equals)), value(line.substr(std::min(equals + 1, line.size())));
    if (!parameters.values.emplace(name, std::move(value)).second) parameters.twice.push_back(std::move(name));
  }
  check<rltune::api::SamplesQuery>(parameters);
  check<rltune::api::RollupsQuery>(parameters);
  check<rltune::api::AuditQuery>(parameters);
  check<rltune::api::RunsQuery>(parameters);
  check<rltune::api::RunFiguresQuery>(parameters);
  return 0;
}
