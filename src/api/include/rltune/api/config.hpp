// Messages about a site's configuration: its files and versions, a change, and the second person who agrees to it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/api/field.hpp"
#include "rltune/api/site.hpp"
#include "rltune/base/time.hpp"

namespace rltune::api {

inline constexpr std::size_t kConfigTextMax = 512 * 1024;
inline constexpr std::array<std::string_view, 2> kProposalVerbs{"agree", "refuse"};

struct ConfigFile {
  static constexpr std::string_view kSchema = "ConfigFile";
  std::string name, text;
};
template <typename Visitor>
void describe(Visitor& v, ConfigFile& file) {
  v.field("name", file.name, {.note = "\"site.yaml\", \"users.yaml\""});
  v.field("text", file.text, {.note = "as it lies there, YAML", .length_max = kConfigTextMax});
}

struct ConfigFiles {
  static constexpr std::string_view kSchema = "ConfigFiles";
  std::string version;
  std::vector<ConfigFile> files;
};
template <typename Visitor>
void describe(Visitor& v, ConfigFiles& files) {
  v.field("version", files.version, {.note = "40 hexadecimal digits; empty: nothing was changed through it yet"});
  v.field("files", files.files, {.note = "every file of the site's configuration"});
}

struct ConfigVersion {
  static constexpr std::string_view kSchema = "ConfigVersion";
  std::string version, author, reason;
  std::optional<TimePoint> made;
  std::vector<std::string> files;
};
template <typename Visitor>
void describe(Visitor& v, ConfigVersion& version) {
  v.field("version", version.version, {.note = "40 hexadecimal digits"});
  v.field("author", version.author, {.note = "who changed it"});
  v.field("reason", version.reason, {.note = "and why", .length_max = 4'000});
  v.field("made", version.made, {.note = "when"});
  v.field("files", version.files, {.note = "that it changed"});
}

struct ConfigVersions {
  static constexpr std::string_view kSchema = "ConfigVersions";
  std::vector<ConfigVersion> versions;
};
template <typename Visitor>
void describe(Visitor& v, ConfigVersions& list) {
  v.field("versions", list.versions, {.note = "newest first, at most 500"});
}

struct ConfigText {
  static constexpr std::string_view kSchema = "ConfigText";
  std::string text;
};
template <typename Visitor>
void describe(Visitor& v, ConfigText& draft) {
  v.field("text", draft.text, {.note = "a whole file, of whatever kind its schema says", .length_max = kConfigTextMax});
}

struct ConfigFault {
  static constexpr std::string_view kSchema = "ConfigFault";
  std::uint64_t line = 1;
  std::string field, message;
};
template <typename Visitor>
void describe(Visitor& v, ConfigFault& fault) {
  v.field("line", fault.line, {.note = "of the text, from 1"});
  v.field("field", fault.field, {.note = "\"tags[3].role\"; empty: the file as a whole"});
  v.field("message", fault.message, {.note = "what is wrong with it"});
}

struct ConfigFieldChange {
  static constexpr std::string_view kSchema = "ConfigFieldChange";
  std::string field, was, is;
};
template <typename Visitor>
void describe(Visitor& v, ConfigFieldChange& change) {
  v.field("field", change.field, {.note = "\"guard.outputs[heating].limits.high\""});
  v.field("was", change.was, {.note = "empty: it was not there"});
  v.field("is", change.is, {.note = "empty: it would not be there"});
}

struct ConfigPlan {
  static constexpr std::string_view kSchema = "ConfigPlan";
  std::string file;
  std::vector<ConfigFault> faults;
  std::vector<ConfigFieldChange> changes;
  std::vector<std::string> restarts, live, loosens;
};
template <typename Visitor>
void describe(Visitor& v, ConfigPlan& plan) {
  v.field("file", plan.file, {.note = "that it would replace; empty: it has faults"});
  v.field("faults", plan.faults, {.note = "with any, it cannot be applied"});
  v.field("changes", plan.changes, {.note = "field by field; none: comments or order alone"});
  v.field("restarts", plan.restarts, {.note = "roles that would start again"});
  v.field("live", plan.live, {.note = "roles that would take it over as they run"});
  v.field("loosens", plan.loosens, {.note = "limits that it loosens: a second person has to agree"});
}

struct ConfigChange {
  static constexpr std::string_view kSchema = "ConfigChange";
  std::string text, reason;
  std::optional<double> within_s;
};
template <typename Visitor>
void describe(Visitor& v, ConfigChange& change) {
  v.field("text", change.text,
          {.note = "a whole file, of whatever kind its schema says", .length_max = kConfigTextMax});
  v.field("reason", change.reason, {.note = "for the record", .length_max = kReasonMax});
  v.field("within_s", change.within_s,
          {.note = "every role has to be well by then, or it goes back; left out: 30", .low = 1.0, .high = 600.0});
}

struct ConfigRestore {
  static constexpr std::string_view kSchema = "ConfigRestore";
  std::string version, reason;
};
template <typename Visitor>
void describe(Visitor& v, ConfigRestore& restore) {
  v.field("version", restore.version, {.note = "its id, the first letters of it, or HEAD~1", .length_max = 64});
  v.field("reason", restore.reason, {.note = "for the record", .length_max = kReasonMax});
}

struct ConfigState {
  static constexpr std::string_view kSchema = "ConfigState";
  std::string state, version, reason, proposal;
  std::vector<std::string> restarts, live, loosens;
};
template <typename Visitor>
void describe(Visitor& v, ConfigState& state) {
  v.field("state", state.state, {.note = "none, proposed, under_way, going_back, applied, went_back or failed"});
  v.field("version", state.version, {.note = "that the change made"});
  v.field("reason", state.reason, {.note = "why it went back, or what is waited for", .length_max = 4'000});
  v.field("proposal", state.proposal, {.note = "proposed: what a second person answers"});
  v.field("restarts", state.restarts, {.note = "roles that start again for it"});
  v.field("live", state.live, {.note = "roles that take it over as they run"});
  v.field("loosens", state.loosens, {.note = "proposed: the limits that it loosens"});
}

struct ConfigProposal {
  static constexpr std::string_view kSchema = "ConfigProposal";
  std::string id, author, reason, text, restore;
  std::optional<TimePoint> made, ends;
  std::vector<std::string> files, loosens;
};
template <typename Visitor>
void describe(Visitor& v, ConfigProposal& proposal) {
  v.field("id", proposal.id, {.note = "what is answered"});
  v.field("author", proposal.author, {.note = "who cannot agree to it"});
  v.field("reason", proposal.reason, {.note = "of the author"});
  v.field("made", proposal.made, {.note = "when"});
  v.field("ends", proposal.ends, {.note = "nobody can agree any more"});
  v.field("files", proposal.files, {.note = "that it changes"});
  v.field("loosens", proposal.loosens, {.note = "why it waits"});
  v.field("text", proposal.text, {.note = "of the file; empty: a version comes back", .length_max = kConfigTextMax});
  v.field("restore", proposal.restore, {.note = "the version that comes back; empty: a file"});
}

struct ConfigProposals {
  static constexpr std::string_view kSchema = "ConfigProposals";
  std::vector<ConfigProposal> proposals;
};
template <typename Visitor>
void describe(Visitor& v, ConfigProposals& list) {
  v.field("proposals", list.proposals, {.note = "oldest first"});
}

struct ProposalAnswer {
  static constexpr std::string_view kSchema = "ProposalAnswer";
  std::string verb, reason;
};
template <typename Visitor>
void describe(Visitor& v, ProposalAnswer& answer) {
  v.field("verb", answer.verb, {.note = "the author may refuse, and not agree", .words = kProposalVerbs});
  v.field("reason", answer.reason, {.note = "for the record", .length_max = kReasonMax});
}

}  // namespace rltune::api
