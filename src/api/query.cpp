#include "rltune/api/query.hpp"

#include <charconv>

namespace rltune::api {
QueryTree::QueryTree(const std::map<std::string, std::string>& values) {
  for (const auto& [name, text] : values) tree_[name] = text;
}

template <typename Number>
void QueryTree::number(std::string_view name) {
  const auto found = tree_.find(std::string(name));
  if (found == tree_.end() || !found->is_string()) return;
  const auto& text = found->get_ref<const std::string&>();
  Number number{};
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && stopped == text.data() + text.size()) *found = number;
}

void QueryTree::field(std::string_view name, std::uint64_t&, const Rule&) { number<std::uint64_t>(name); }

void QueryTree::field(std::string_view name, double&, const Rule&) { number<double>(name); }

void QueryTree::field(std::string_view name, bool&, const Rule&) {
  const auto found = tree_.find(std::string(name));
  if (found != tree_.end() && (*found == "true" || *found == "false")) *found = *found == "true";
}

Faults faults_of_query(const Parameters& parameters, Faults of_message) {
  Faults faults;
  for (Fault& fault : of_message) {
    std::string name;
    for (std::size_t i = 1; i < fault.pointer.size(); ++i) {
      const bool escaped = fault.pointer[i] == '~' && i + 1 < fault.pointer.size();
      name += escaped ? (fault.pointer[++i] == '0' ? '~' : '/') : fault.pointer[i];
    }
    faults.push_back({.pointer = "", .detail = std::move(fault.detail), .parameter = std::move(name)});
  }
  for (const std::string& name : parameters.twice)
    faults.push_back({.pointer = "", .detail = "stands twice", .parameter = name});
  return bounded(std::move(faults));
}

}  // namespace rltune::api
