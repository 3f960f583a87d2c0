#include "router.hpp"

#include <algorithm>
#include <ranges>

namespace rltune::webserver {
namespace {

constexpr std::string_view kAny = "{}";

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  for (const auto& part : path.substr(1) | std::views::split('/')) segments.emplace_back(std::string_view(part));
  return segments;
}

// What stands for each {}; nullopt: the path is another one.
std::optional<std::vector<std::string>> match(const std::vector<std::string>& pattern,
                                              const std::vector<std::string>& path) {
  if (pattern.size() != path.size()) return std::nullopt;
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const bool any = pattern[i] == kAny;
    if (any ? path[i].empty() : path[i] != pattern[i]) return std::nullopt;
    if (any) parts.push_back(path[i]);
  }
  return parts;
}

Response not_here() { return problem(404, "nothing is served at this path; the documentation lists what is"); }

}  // namespace

Router::Router(std::vector<Route> routes) {
  for (Route& route : routes) {
    if (!route.path.contains(kAny)) {
      exact_[route.path][route.method] = std::move(route.handle);
      continue;
    }
    auto segments = segments_of(route.path);
    auto known = std::ranges::find(patterns_, segments, &Pattern::segments);
    if (known == patterns_.end()) known = patterns_.insert(patterns_.end(), {std::move(segments), {}});
    known->methods[route.method] = std::move(route.handle);
  }
}

std::expected<const Handler*, Response> Router::find(Request& request) const {
  const Methods* methods = nullptr;
  if (const auto found = exact_.find(request.path); found != exact_.end()) methods = &found->second;
  if (methods == nullptr && !patterns_.empty()) {
    const auto path = segments_of(request.path);
    for (const Pattern& pattern : patterns_) {
      auto parts = match(pattern.segments, path);
      if (!parts) continue;
      for (std::string& part : *parts) {
        auto decoded = decode_percent(part);
        if (!decoded) return std::unexpected(problem(400, "a % in the path is not followed by two hexadecimal digits"));
        part = std::move(*decoded);
      }
      request.parts = std::move(*parts);
      methods = &pattern.methods;
      break;
    }
  }
  if (methods == nullptr) return std::unexpected(not_here());
  if (const auto found = methods->find(request.method); found != methods->end()) return &found->second;
  std::string allowed;
  for (const std::string& method : *methods | std::views::keys) allowed += (allowed.empty() ? "" : ", ") + method;
  Response refusal = problem(405, "here only " + allowed);
  refusal.headers["Allow"] = allowed;
  return std::unexpected(std::move(refusal));
}

}  // namespace rltune::webserver
