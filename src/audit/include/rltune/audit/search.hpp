// Lines of every role's log, in pages: a day after the other, each in the order of its times, beside running writers.
// Lines that do not decode are left out (verify() tells of them); what is encrypted comes as read_lines() shows it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/audit/entry.hpp"
#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"

namespace rltune::audit {

struct LineQuery {
  TimePoint from{}, to{};     // [from, to)
  std::string actor, action;  // as fits() compares them
  std::string after;          // LinePage::next of the page before; empty: the first page
  std::size_t limit = 0;
};

struct FoundLine {
  std::string role;
  Line line;
};

struct LinePage {
  std::vector<FoundLine> lines;
  std::string next;  // empty: nothing follows. A page may be empty and have one: so many lines did not fit
};

// Empty stands for anything, "mode" for mode.change as well.
bool fits(std::string_view wanted, std::string_view text);

// A page ends as well where 4 MiB are in it, and with the day in which 100,000 lines were looked at. Errors:
// not_found (the folder), invalid_argument (`after`), io.
Result<LinePage> find_lines(const std::filesystem::path& audit_folder, const LineQuery& query);

}  // namespace rltune::audit
