#include "takeover.hpp"

#include <algorithm>
#include <format>
#include <nlohmann/json.hpp>

#include "rltune/base/file.hpp"
#include "rltune/base/log.hpp"
#include "rltune/config/change.hpp"
#include "rltune/configstore/change.hpp"

namespace rltune::coredinator {
namespace {

using nlohmann::ordered_json;

constexpr const char* kSiteFile = "site.yaml";
constexpr double kWithinMax = 600.0;
// What a person gives a new configuration is not what the one of before needs to come up again.
constexpr double kBackWithin = 30.0;

// What lies in the folder, or nothing.
std::optional<std::string> lying(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::nullopt;
  auto text = config::load_text(file);
  return text ? std::optional(std::move(*text)) : std::nullopt;
}

// "agent.climate" stands for all of its instances, "agent.*" for all of its kind.
bool means(const std::string& pattern, const std::string& role) {
  if (pattern.ends_with(".*")) return role.starts_with(pattern.substr(0, pattern.size() - 1));
  return role == pattern || role.starts_with(pattern + "@");
}

// Who takes over what differs. A file that goes concerns nobody: no role is without its site.
Result<std::vector<config::Change>> changes(const configstore::Edits& before, const configstore::Edits& after) {
  std::vector<config::Change> all;
  for (const auto& [name, text] : after) {
    const auto was = before.find(name);
    if (!text || was == before.end()) continue;
    const auto found = config::changes(was->second.value_or(""), *text);
    if (!found) return std::unexpected(found.error());
    all.insert(all.end(), found->begin(), found->end());
  }
  return all;
}

}  // namespace

Result<Takeover> Takeover::open(const std::filesystem::path& folder, const Clock& clock) {
  Takeover takeover(folder, clock);
  takeover.state_.set_state("none");
  takeover.read();
  if (!takeover.under_way_) return takeover;
  // Finishes or forgets the version itself.
  if (const auto store = configstore::Store::open(folder); !store) return std::unexpected(store.error());
  if (!takeover.under_way_->back && takeover.lies_as_before()) {
    takeover.finish("none", "");
    return takeover;
  }
  if (takeover.under_way_->back)
    if (auto done = takeover.put_back(); !done) return std::unexpected(done.error());
  log::info("going on with a change of the configuration", {{"back", takeover.under_way_->back ? "yes" : "no"}});
  takeover.tell_state(takeover.under_way_->back ? "going_back" : "under_way");
  return takeover;
}

void Takeover::tell_state(const std::string& state) {
  state_.Clear();
  state_.set_state(state);
  state_.set_version(under_way_->version);
  state_.set_reason(under_way_->why);
  state_.mutable_restarts()->Assign(under_way_->restarts.begin(), under_way_->restarts.end());
  state_.mutable_live()->Assign(under_way_->live.begin(), under_way_->live.end());
}

bool Takeover::concerns_coredinator() const {
  return std::ranges::find(under_way_->restarts, "coredinator") != under_way_->restarts.end();
}

void Takeover::read() {
  const auto text = lying(file());
  if (!text) return;
  const auto json = ordered_json::parse(*text, nullptr, false);
  try {
    UnderWay way;
    way.back = json.at("back");
    way.why = json.at("why");
    way.version = json.at("version");
    way.within_s = json.at("within_s");
    way.restarts = json.at("restarts").get<std::vector<std::string>>();
    way.live = json.at("live").get<std::vector<std::string>>();
    for (const auto& role : json.at("roles"))
      way.roles.push_back({.name = role.at("name"), .pid = role.at("pid"), .well = role.at("well")});
    for (const auto& [name, was] : json.at("before").items())
      way.before[name] = was.is_null() ? std::nullopt : std::optional(was.get<std::string>());
    under_way_ = std::move(way);
  } catch (const nlohmann::json::exception& wrong) {
    // Whatever it was about: the files in the folder are good, and the site starts with them.
    log::error("what was under way cannot be read and is put aside",
               {{"file", file().string()}, {"reason", wrong.what()}});
    std::error_code ignored;
    std::filesystem::rename(file(), file().string() + ".damaged", ignored);
  }
}

Result<> Takeover::write() const {
  ordered_json roles = ordered_json::array(), before = ordered_json::object();
  for (const Concerned& role : under_way_->roles)
    roles.push_back({{"name", role.name}, {"pid", role.pid}, {"well", role.well}});
  for (const auto& [name, was] : under_way_->before) before[name] = was ? ordered_json(*was) : ordered_json(nullptr);
  const ordered_json json{{"back", under_way_->back},
                          {"why", under_way_->why},
                          {"version", under_way_->version},
                          {"within_s", under_way_->within_s},
                          {"restarts", under_way_->restarts},
                          {"live", under_way_->live},
                          {"roles", roles},
                          {"before", before}};
  return write_file(file(), json.dump(2) + "\n");
}

void Takeover::forget() {
  std::error_code code;
  std::filesystem::remove(file(), code);
  if (code)
    log::error("what was under way cannot be forgotten", {{"file", file().string()}, {"reason", code.message()}});
  under_way_.reset();
  deadline_.reset();
  told_ = leave_ = false;
  refusal_.clear();
}

void Takeover::finish(const std::string& state, std::string reason) {
  forget();
  state_.set_state(state);
  state_.set_reason(std::move(reason));
}

// The files as they are to be. The first change of a site makes what it runs with a version before.
Result<configstore::Edits> Takeover::wanted(const v1::ApplyConfigRequest& request, const std::string& running) const {
  configstore::Edits edits;
  if (request.restore().empty()) {
    const config::Checked checked = config::check(request.text());
    if (!checked.faults.empty()) return fail(Errc::invalid_argument, config::to_text("the new file", checked.faults));
    edits[config::file_name(checked.schema.kind)] = request.text();
    const auto store = configstore::Store::open(folder_);
    if (store || store.error().code != Errc::not_found) return edits;
    auto made = configstore::Store::create(folder_);
    if (!made) return std::unexpected(made.error());
    auto first = made->update({{kSiteFile, running}}, {"unknown", "as the site was started", clock_.now()}, "");
    if (!first) return std::unexpected(first.error());
    return edits;
  }
  const auto store = configstore::Store::open(folder_);
  if (!store) return std::unexpected(store.error());
  const auto files = store->files(request.restore());
  if (!files) return std::unexpected(files.error());
  for (const auto& [name, text] : *files) edits[name] = text;
  for (const config::Kind kind : config::kinds())
    if (const std::string name = config::file_name(kind); !edits.contains(name) && lying(folder_ / name))
      edits[name] = std::nullopt;
  return edits;
}

Result<std::string> Takeover::commit(const v1::ApplyConfigRequest& request) const {
  const configstore::Entry entry{request.author(), request.reason(), clock_.now()};
  if (!request.restore().empty()) {
    const auto version = configstore::restore(folder_, request.restore(), entry);
    if (!version) return std::unexpected(version.error());
    return version->id;
  }
  const auto plan = configstore::plan_text(folder_, request.text(), "the new file", request.in_place());
  if (!plan) return std::unexpected(plan.error());
  if (plan->same) return plan->base;
  const auto version = configstore::apply_change(folder_, *plan, entry);
  if (!version) return std::unexpected(version.error());
  return version->id;
}

Result<> Takeover::begin(const v1::ApplyConfigRequest& request, const std::string& running,
                         const Supervisor& supervisor) {
  if (under_way_) return fail(Errc::denied, "another change is being taken over; wait for its end");
  if (request.author().empty() || request.reason().empty())
    return fail(Errc::invalid_argument, "a change has an author and a reason");
  const auto after = wanted(request, running);
  if (!after) return std::unexpected(after.error());
  UnderWay way;
  for (const auto& [name, text] : *after)
    if (auto was = name == kSiteFile ? std::optional(running) : lying(folder_ / name); was != text)
      way.before[name] = std::move(was);
  const auto found = changes(way.before, *after);
  if (!found) return std::unexpected(found.error());
  way.restarts = config::restarts(*found);
  way.live = config::live(*found);
  way.within_s = std::clamp(request.within_s() > 0.0 ? request.within_s() : way.within_s, 1.0, kWithinMax);
  const v1::RolesAnswer roles = supervisor.roles();
  for (const std::string& pattern : way.restarts) {
    bool there = pattern == "coredinator";
    for (const v1::RoleState& role : roles.roles()) {
      if (!means(pattern, role.name())) continue;
      there = true;
      way.roles.push_back({.name = role.name(), .pid = role.pid(), .well = role.state() == "healthy"});
    }
    if (!there) way.roles.push_back({.name = pattern});
  }
  under_way_ = std::move(way);
  if (auto written = write(); !written) return under_way_.reset(), written;
  auto version = commit(request);
  if (!version) {
    finish("none", "");
    return std::unexpected(version.error());
  }
  under_way_->version = *version;
  tell_state("under_way");
  if (auto written = write(); !written)
    log::error("the version under way is not on record", {{"reason", written.error().message}});
  leave_ = concerns_coredinator();
  return {};
}

bool Takeover::lies_as_before() const {
  return std::ranges::all_of(under_way_->before,
                             [this](const auto& entry) { return lying(folder_ / entry.first) == entry.second; });
}

Result<> Takeover::put_back() {
  if (lies_as_before()) return {};
  auto store = configstore::Store::open(folder_);
  if (!store) return std::unexpected(store.error());
  const auto newest = store->head();
  if (!newest) return std::unexpected(newest.error());
  const auto done = store->update(
      under_way_->before, {"coredinator", "back to what was before: " + under_way_->why, clock_.now()}, *newest);
  if (!done) return std::unexpected(done.error());
  return {};
}

Result<> Takeover::go_back(const std::string& why) {
  log::error("a change of the configuration is taken back", {{"because", why}});
  under_way_->back = true;
  under_way_->why = why;
  deadline_.reset();
  told_ = false;
  refusal_.clear();
  state_.set_state("going_back");
  state_.set_reason(why);
  if (auto written = write(); !written) return written;
  return put_back();
}

void Takeover::back_out(const std::string& why, Supervisor& supervisor) {
  if (under_way_->back) {
    log::critical("the configuration of before does not come up either", {{"because", why}});
    supervisor.forgive(false);
    return finish("failed", std::format("{}; and after going back: {}", under_way_->why, why));
  }
  // Whoever runs now has the new files; whoever does not starts with those of before.
  const v1::RolesAnswer roles = supervisor.roles();
  for (Concerned& concerned : under_way_->roles)
    for (const v1::RoleState& role : roles.roles())
      if (role.name() == concerned.name) concerned.pid = role.pid();
  for (const Concerned& concerned : under_way_->roles) supervisor.restart(concerned.name);
  if (auto done = go_back(why); !done)
    return finish("failed",
                  std::format("{}; and the files of before could not be brought back: {}", why, done.error().message));
  leave_ = concerns_coredinator();
}

// One that is not there just now is asked again, until the deadline.
void Takeover::told(const Result<>& answer) {
  if (!answer && (answer.error().code == Errc::timeout || answer.error().code == Errc::disconnected)) return;
  told_ = true;
  if (!answer) refusal_ = answer.error().message;
}

// The first role that is not where it has to be, and why; empty when all are.
std::string Takeover::wait_for(Supervisor& supervisor, std::string& refused) const {
  std::string waiting;
  const v1::RolesAnswer roles = supervisor.roles();
  for (const Concerned& concerned : under_way_->roles) {
    const auto role = std::ranges::find(roles.roles(), concerned.name, &v1::RoleState::name);
    if (role == roles.roles().end()) continue;  // the new configuration has it no longer, or never had it
    if (role->pid() != 0 && role->pid() == concerned.pid) {
      supervisor.restart(concerned.name);
      waiting = concerned.name + " ends";
    } else if (!concerned.well && concerned.pid == 0) {
      continue;  // it did not run before: nothing is expected of it
    } else if (role->state() == "failed") {
      refused = std::format("{}: {}", concerned.name, role->reason());
    } else if (role->state() != "healthy" && (concerned.well || role->state() != "unhealthy")) {
      waiting = std::format("{} is {}{}{}", concerned.name, role->state(), role->reason().empty() ? "" : ": ",
                            role->reason());
    }
  }
  return waiting;
}

void Takeover::turn(Supervisor& supervisor, Duration now) {
  if (!under_way_ || leave_) return;
  supervisor.forgive(true);
  const double within_s = under_way_->back ? std::max(under_way_->within_s, kBackWithin) : under_way_->within_s;
  if (!deadline_) deadline_ = now + from_seconds(within_s);
  std::string refused;
  const std::string waiting = wait_for(supervisor, refused);
  if (!refusal_.empty()) refused = "io: " + refusal_;
  if (!refused.empty()) return back_out(refused, supervisor);
  const bool untold = wants_to_tell_io();
  if (!waiting.empty() || untold) {
    const std::string what = waiting.empty() ? "io takes it over" : waiting;
    if (!under_way_->back) state_.set_reason(what);
    if (now >= *deadline_) back_out(std::format("after {:.0f} s {}", within_s, what), supervisor);
    return;
  }
  supervisor.forgive(false);
  if (under_way_->back) {
    log::warning("the site runs with the configuration of before", {{"because", under_way_->why}});
    return finish("went_back", under_way_->why);
  }
  log::info("a change of the configuration is in force", {{"version", under_way_->version}});
  finish("applied", "");
}

}  // namespace rltune::coredinator
