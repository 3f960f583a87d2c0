#include "config_calls.hpp"

#include <algorithm>
#include <format>

#include "rltune/audit/entry.hpp"
#include "rltune/config/change.hpp"
#include "rltune/config/document.hpp"
#include "rltune/config/loosening.hpp"
#include "rltune/config/users.hpp"
#include "rltune/configstore/store.hpp"

namespace rltune::coredinator {
namespace {

constexpr std::uint32_t kVersionsMax = 500;

std::string_view text_of(const std::map<std::string, std::string>& files, const std::string& name) {
  const auto found = files.find(name);
  return found == files.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace

ConfigCalls::ConfigCalls(const Parts& parts, const Clock& clock)
    : parts_(parts), proposals_(Proposals::open(parts.proposals_file, clock)) {}

void ConfigCalls::serve(bus::Server& server) {
  const auto take = [&server]<typename Request, typename Answer>(const std::string& method, auto work) {
    server.handle<Request, Answer>(method,
                                   [work](const bus::Call& call, const Request& request, Answer& answer) -> Result<> {
                                     auto done = work(call, request);
                                     if (!done) return std::unexpected(done.error());
                                     answer = std::move(*done);
                                     return {};
                                   });
  };
  take.operator()<v1::ApplyConfigRequest, v1::ConfigAnswer>(
      "coredinator.ApplyConfig", [this](const bus::Call& call, const v1::ApplyConfigRequest& request) {
        return apply(request, call.correlation_id);
      });
  take.operator()<v1::AnswerProposalRequest, v1::ConfigAnswer>(
      "coredinator.AnswerProposal", [this](const bus::Call& call, const v1::AnswerProposalRequest& request) {
        return answer_proposal(request, call.correlation_id);
      });
  take.operator()<v1::ConfigRequest, v1::ConfigAnswer>(
      "coredinator.Config", [this](const bus::Call&, const v1::ConfigRequest&) -> Result<v1::ConfigAnswer> {
        return parts_.takeover.state();
      });
  take.operator()<v1::ProposalsRequest, v1::ProposalsAnswer>(
      "coredinator.Proposals",
      [this](const bus::Call&, const v1::ProposalsRequest&) -> Result<v1::ProposalsAnswer> { return proposals(); });
  take.operator()<v1::PlanConfigRequest, v1::PlanConfigAnswer>(
      "coredinator.PlanConfig",
      [this](const bus::Call&, const v1::PlanConfigRequest& request) { return plan(request); });
  take.operator()<v1::ConfigFilesRequest, v1::ConfigFilesAnswer>(
      "coredinator.ConfigFiles",
      [this](const bus::Call&, const v1::ConfigFilesRequest& request) { return files(request); });
  take.operator()<v1::ConfigVersionsRequest, v1::ConfigVersionsAnswer>(
      "coredinator.ConfigVersions",
      [this](const bus::Call&, const v1::ConfigVersionsRequest& request) { return versions(request); });
}

// The files as they are in force: site.yaml as the roles hold it, the others as they lie there.
std::map<std::string, std::string> ConfigCalls::lying() const {
  std::map<std::string, std::string> files;
  for (const config::Kind kind : config::kinds()) {
    const std::string name = config::file_name(kind);
    std::error_code ignored;
    if (!std::filesystem::exists(parts_.site_folder / name, ignored)) continue;
    if (auto text = config::load_text(parts_.site_folder / name)) files[name] = std::move(*text);
  }
  files[config::file_name(config::Kind::site)] = parts_.running;
  return files;
}

std::string ConfigCalls::basis() const {
  std::string all;
  for (const auto& [name, text] : lying()) all += std::format("{} {}\n{}", name, text.size(), text);
  return audit::blake2b(all);
}

Result<v1::ConfigAnswer> ConfigCalls::begin(const v1::ApplyConfigRequest& request, std::string_view correlation_id) {
  if (auto begun = parts_.takeover.begin(request, parts_.running, parts_.supervisor); !begun)
    return std::unexpected(begun.error());
  v1::ConfigAnswer answer = parts_.takeover.state();
  parts_.begun();
  record(request.author(), "config.apply", answer.version(), request.reason(), correlation_id);
  return answer;
}

Result<v1::ConfigAnswer> ConfigCalls::apply(const v1::ApplyConfigRequest& request, std::string_view correlation_id) {
  if (!request.four_eyes()) return begin(request, correlation_id);
  if (request.author().empty() || request.reason().empty())
    return fail(Errc::invalid_argument, "a change has an author and a reason");
  std::map<std::string, std::string> after;
  if (request.restore().empty()) {
    const config::Checked checked = config::check(request.text());
    if (!checked.faults.empty()) return fail(Errc::invalid_argument, config::to_text("the new file", checked.faults));
    after[config::file_name(checked.schema.kind)] = request.text();
  } else {
    const auto asked = files([&] {
      v1::ConfigFilesRequest one;
      one.set_version(request.restore());
      return one;
    }());
    if (!asked) return std::unexpected(asked.error());
    after.insert(asked->files().begin(), asked->files().end());
  }
  const auto before = lying();
  std::vector<std::string> loosens, changed;
  for (const auto& [name, text] : after) {
    const std::string was(text_of(before, name));
    if (was == text) continue;
    if (name == config::file_name(config::Kind::users) && !request.may_change_users())
      return fail(Errc::denied, "this changes who may do what, which your account may not");
    auto found = config::loosened(was, text);
    if (!found) return std::unexpected(found.error());
    changed.push_back(name);
    loosens.insert(loosens.end(), found->begin(), found->end());
  }
  if (loosens.empty()) return begin(request, correlation_id);
  return propose(request, std::move(loosens), changed, correlation_id);
}

Result<v1::ConfigAnswer> ConfigCalls::propose(const v1::ApplyConfigRequest& request, std::vector<std::string> loosens,
                                              const std::vector<std::string>& files, std::string_view correlation_id) {
  WaitingChange change{.shown = {}, .basis = basis()};
  change.shown.set_author(request.author());
  change.shown.set_reason(request.reason());
  change.shown.set_text(request.text());
  change.shown.set_restore(request.restore());
  change.shown.mutable_files()->Assign(files.begin(), files.end());
  change.shown.mutable_loosens()->Assign(loosens.begin(), loosens.end());
  auto id = proposals_.add(std::move(change));
  if (!id) return std::unexpected(id.error());
  record(request.author(), "config.propose", *id, request.reason(), correlation_id);
  v1::ConfigAnswer answer;
  answer.set_state("proposed");
  answer.set_proposal(std::move(*id));
  answer.mutable_loosens()->Assign(loosens.begin(), loosens.end());
  return answer;
}

Result<v1::ConfigAnswer> ConfigCalls::answer_proposal(const v1::AnswerProposalRequest& request,
                                                      std::string_view correlation_id) {
  const auto waiting = proposals_.find(request.id());
  if (!waiting) return std::unexpected(waiting.error());
  if (request.user().empty() || request.reason().empty())
    return fail(Errc::invalid_argument, "who answers, and why, has to be said");
  const v1::ConfigProposal& shown = waiting->shown;
  const bool of_users = std::ranges::contains(shown.files(), config::file_name(config::Kind::users));
  if (of_users && !request.may_change_users())
    return fail(Errc::denied, "this changes who may do what, which your account may not");
  if (request.agree() && request.user() == shown.author())
    return fail(Errc::denied, "a second person has to agree: nobody loosens a limit alone");
  // Whoever has its secret may have an account as well.
  const bool nobodys = request.user() == config::kBreakGlassUser || shown.author() == config::kBreakGlassUser;
  if (request.agree() && nobodys)
    return fail(Errc::denied, "the account for emergencies is nobody's own: two people have to agree in their names");
  if (request.agree() && waiting->basis != basis())
    return fail(Errc::mismatch, "the configuration has changed since this was proposed; it has to be proposed again");
  v1::ConfigAnswer answer = parts_.takeover.state();
  if (request.agree()) {
    v1::ApplyConfigRequest change;
    change.set_text(shown.text());
    change.set_restore(shown.restore());
    change.set_author(shown.author());
    change.set_reason(std::format("{} (agreed to by {}: {})", shown.reason(), request.user(), request.reason()));
    auto begun = begin(change, correlation_id);
    if (!begun) return begun;
    answer = std::move(*begun);
  }
  record(request.user(), request.agree() ? "config.agree" : "config.refuse", request.id(), request.reason(),
         correlation_id);
  if (auto gone = proposals_.remove(request.id()); !gone) return std::unexpected(gone.error());
  return answer;
}

Result<v1::PlanConfigAnswer> ConfigCalls::plan(const v1::PlanConfigRequest& request) const {
  v1::PlanConfigAnswer answer;
  const config::Checked checked = config::check(request.text());
  for (const config::Fault& fault : checked.faults) {
    v1::ConfigFault& told = *answer.add_faults();
    told.set_line(fault.line);
    told.set_field(fault.field);
    told.set_message(fault.message);
  }
  if (!checked.faults.empty()) return answer;
  answer.set_file(config::file_name(checked.schema.kind));
  const auto before = lying();
  const std::string was(text_of(before, answer.file()));
  const auto changes = config::changes(was, request.text());
  if (!changes) return std::unexpected(changes.error());
  const auto loosens = config::loosened(was, request.text());
  if (!loosens) return std::unexpected(loosens.error());
  for (const config::Change& change : *changes) {
    v1::ConfigFieldChange& told = *answer.add_changes();
    told.set_field(change.field);
    told.set_was(change.was);
    told.set_is(change.is);
  }
  const auto restarts = config::restarts(*changes), live = config::live(*changes);
  answer.mutable_restarts()->Assign(restarts.begin(), restarts.end());
  answer.mutable_live()->Assign(live.begin(), live.end());
  answer.mutable_loosens()->Assign(loosens->begin(), loosens->end());
  return answer;
}

Result<v1::ConfigFilesAnswer> ConfigCalls::files(const v1::ConfigFilesRequest& request) const {
  v1::ConfigFilesAnswer answer;
  const auto store = configstore::Store::open(parts_.site_folder);
  if (request.version().empty()) {
    if (store)
      if (auto head = store->head()) answer.set_version(std::move(*head));
    for (auto& [name, text] : lying()) (*answer.mutable_files())[name] = text;
    return answer;
  }
  if (!store && store.error().code == Errc::not_found) return fail(Errc::not_found, "no version was made yet");
  if (!store) return std::unexpected(store.error());
  const auto version = store->find(request.version());
  if (!version) return std::unexpected(version.error());
  const auto found = store->files(version->id);
  if (!found) return std::unexpected(found.error());
  answer.set_version(version->id);
  for (const auto& [name, text] : *found) (*answer.mutable_files())[name] = text;
  return answer;
}

Result<v1::ConfigVersionsAnswer> ConfigCalls::versions(const v1::ConfigVersionsRequest& request) const {
  v1::ConfigVersionsAnswer answer;
  const auto store = configstore::Store::open(parts_.site_folder);
  if (!store && store.error().code == Errc::not_found) return answer;
  if (!store) return std::unexpected(store.error());
  const auto log = store->log(std::min(request.most() == 0 ? kVersionsMax : request.most(), kVersionsMax));
  if (!log) return std::unexpected(log.error());
  for (const configstore::Version& version : *log) {
    v1::ConfigVersion& told = *answer.add_versions();
    told.set_id(version.id);
    told.set_author(version.entry.author);
    told.set_reason(version.entry.reason);
    told.set_made_unix_ns(version.entry.time.time_since_epoch().count());
    told.mutable_files()->Assign(version.files.begin(), version.files.end());
  }
  return answer;
}

void ConfigCalls::record(const std::string& actor, const std::string& action, const std::string& target,
                         const std::string& reason, std::string_view correlation_id) {
  parts_.audit.post({.time = {},
                     .actor = actor,
                     .action = action,
                     .target = target,
                     .reason = reason,
                     .correlation_id = std::string(correlation_id)});
}

}  // namespace rltune::coredinator
