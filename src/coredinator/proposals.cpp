#include "proposals.hpp"

#include <algorithm>
#include <format>
#include <nlohmann/json.hpp>

#include "rltune/base/file.hpp"
#include "rltune/base/id.hpp"
#include "rltune/base/log.hpp"

namespace rltune::coredinator {
namespace {

using nlohmann::ordered_json;

std::int64_t nanoseconds(TimePoint time) { return time.time_since_epoch().count(); }

std::vector<std::string> texts(const auto& repeated) { return {repeated.begin(), repeated.end()}; }

vault::Place place_of(const std::string& id, std::string_view column) {
  return {.table = "proposals", .column = column, .row = id};
}

}  // namespace

Proposals Proposals::open(const std::filesystem::path& file, const Clock& clock) {
  Proposals proposals(file, clock);
  proposals.read();
  return proposals;
}

void Proposals::read() {
  const auto text = read_file(file_);
  if (!text) return;
  try {
    const ordered_json all = ordered_json::parse(*text);
    for (const auto& json : all.at("proposals")) {
      WaitingChange change{.shown = {}, .basis = json.at("basis")};
      v1::ConfigProposal& shown = change.shown;
      shown.set_id(json.at("id").get<std::string>());
      shown.set_author(vault_.show(json.at("author").get<std::string>(), place_of(shown.id(), "author")));
      shown.set_reason(vault_.show(json.at("reason").get<std::string>(), place_of(shown.id(), "reason")));
      shown.set_made_unix_ns(json.at("made"));
      shown.set_ends_unix_ns(json.at("ends"));
      for (const std::string name : json.at("files")) shown.add_files(name);
      for (const std::string field : json.at("loosens")) shown.add_loosens(field);
      shown.set_text(json.at("text").get<std::string>());
      shown.set_restore(json.at("restore").get<std::string>());
      waiting_.push_back(std::move(change));
    }
  } catch (const nlohmann::json::exception& wrong) {
    log::error("the proposed changes cannot be read and are put aside",
               {{"file", file_.string()}, {"reason", wrong.what()}});
    waiting_.clear();
    std::error_code ignored;
    std::filesystem::rename(file_, file_.string() + ".damaged", ignored);
  }
}

Result<> Proposals::write() const {
  ordered_json all = ordered_json::array();
  for (const auto& [shown, basis] : waiting_)
    all.push_back({{"id", shown.id()},
                   {"author", vault_.put(shown.author(), place_of(shown.id(), "author"))},
                   {"reason", vault_.put(shown.reason(), place_of(shown.id(), "reason"))},
                   {"made", shown.made_unix_ns()},
                   {"ends", shown.ends_unix_ns()},
                   {"files", texts(shown.files())},
                   {"loosens", texts(shown.loosens())},
                   {"text", shown.text()},
                   {"restore", shown.restore()},
                   {"basis", basis}});
  return write_file(file_, ordered_json{{"proposals", all}}.dump(2) + "\n");
}

void Proposals::forget_ended() {
  const std::int64_t now = nanoseconds(clock_.now());
  std::erase_if(waiting_, [now](const WaitingChange& change) { return change.shown.ends_unix_ns() <= now; });
}

Result<std::string> Proposals::add(WaitingChange change) {
  if (auto allowed = vault_.allows(); !allowed) return std::unexpected(allowed.error());
  forget_ended();
  if (waiting_.size() >= kProposalsMax)
    return fail(Errc::denied, std::format("{} changes wait for a second person already; settle one", kProposalsMax));
  const TimePoint now = clock_.now();
  change.shown.set_id(make_id(now));
  change.shown.set_made_unix_ns(nanoseconds(now));
  change.shown.set_ends_unix_ns(nanoseconds(now + kProposalLife));
  waiting_.push_back(std::move(change));
  if (auto written = write(); !written) {
    waiting_.pop_back();
    return std::unexpected(written.error());
  }
  return waiting_.back().shown.id();
}

v1::ProposalsAnswer Proposals::list() {
  forget_ended();
  v1::ProposalsAnswer answer;
  for (const WaitingChange& change : waiting_) *answer.add_proposals() = change.shown;
  return answer;
}

Result<WaitingChange> Proposals::find(const std::string& id) {
  forget_ended();
  const auto found = std::ranges::find(waiting_, id, [](const WaitingChange& change) { return change.shown.id(); });
  if (found == waiting_.end()) return fail(Errc::not_found, "no change of that id waits for a second person");
  return *found;
}

Result<> Proposals::remove(const std::string& id) {
  std::erase_if(waiting_, [&](const WaitingChange& change) { return change.shown.id() == id; });
  return write();
}

}  // namespace rltune::coredinator
