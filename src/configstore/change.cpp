#include "rltune/configstore/change.hpp"

#include <format>

#include "rltune/base/file.hpp"

namespace rltune::configstore {
namespace {

constexpr const char* kNobody = "unknown";

// The newest version's id and files; empty where there is none.
struct Newest {
  std::string id;
  Files files;
};

Result<Newest> newest_of(const std::filesystem::path& folder) {
  const auto store = Store::open(folder);
  if (!store) {
    if (store.error().code == Errc::not_found) return Newest{};
    return std::unexpected(store.error());
  }
  Newest newest;
  const auto id = store->head();
  if (!id) return std::unexpected(id.error());
  const auto files = store->files(*id);
  if (!files) return std::unexpected(files.error());
  return Newest{*id, *files};
}

Result<std::string> read_if_there(const std::filesystem::path& file) {
  std::error_code ignored;
  return std::filesystem::exists(file, ignored) ? config::load_text(file) : Result<std::string>(std::string());
}

// Refused files are compared with nothing: what they hold cannot be told field by field.
std::string good_or_nothing(const std::string& text) {
  return config::check(text).faults.empty() ? text : std::string();
}

}  // namespace

Result<Plan> plan_change(const std::filesystem::path& folder, const std::filesystem::path& file) {
  auto text = config::load_text(file);
  if (!text) return std::unexpected(text.error());
  std::error_code ignored;
  const auto schema = config::check(*text).schema;
  const bool in_place = std::filesystem::equivalent(folder / config::file_name(schema.kind), file, ignored);
  return plan_text(folder, std::move(*text), file.string(), in_place);
}

Result<Plan> plan_text(const std::filesystem::path& folder, std::string text, const std::string& name, bool in_place) {
  Plan plan;
  const config::Checked checked = config::check(text);
  if (!checked.faults.empty()) return fail(Errc::invalid_argument, config::to_text(name, checked.faults));
  plan.schema = checked.schema;
  plan.name = config::file_name(checked.schema.kind);
  plan.text = std::move(text);

  const auto newest = newest_of(folder);
  if (!newest) return std::unexpected(newest.error());
  const auto recorded = newest->files.find(plan.name);
  plan.base = newest->id;
  plan.first = recorded == newest->files.end();
  std::string was = plan.first ? std::string() : recorded->second;
  plan.same = !plan.first && was == plan.text;

  if (!in_place) {
    const auto lying = read_if_there(folder / plan.name);
    if (!lying) return std::unexpected(lying.error());
    if (*lying != was && *lying != plan.text && !lying->empty()) {
      plan.found = *lying;
      plan.found_is_good = config::check(*lying).faults.empty();
      plan.same = false;
      was = *lying;
    }
  }
  auto changes = config::changes(good_or_nothing(was), plan.text);
  if (!changes) return std::unexpected(changes.error());
  plan.changes = std::move(*changes);
  return plan;
}

Result<Version> apply_change(const std::filesystem::path& folder, const Plan& plan, const Entry& entry) {
  auto store = Store::create(folder);
  if (!store) return std::unexpected(store.error());
  std::string base = plan.base;
  if (plan.found && plan.found_is_good) {
    const Entry by_hand{kNobody, "found in the folder: changed without rltune config", entry.time};
    const auto recorded = store->update({{plan.name, *plan.found}}, by_hand, base);
    if (!recorded) return recorded;
    base = recorded->id;
  } else if (plan.found) {
    if (auto kept = write_file(folder / (plan.name + ".replaced"), *plan.found); !kept)
      return std::unexpected(kept.error());
  }
  return store->update({{plan.name, plan.text}}, entry, base);
}

Result<Version> restore(const std::filesystem::path& folder, const std::string& version, const Entry& entry) {
  auto store = Store::open(folder);
  if (!store) return std::unexpected(store.error());
  const auto wanted = store->files(version);
  if (!wanted) return std::unexpected(wanted.error());
  for (const auto& [name, text] : *wanted)
    if (const config::Checked checked = config::check(text); !checked.faults.empty())
      return fail(Errc::invalid_argument,
                  std::format("version {} is not good any more:\n{}", version, config::to_text(name, checked.faults)));
  const auto newest = store->head();
  if (!newest) return std::unexpected(newest.error());
  const auto present = store->files(*newest);
  if (!present) return std::unexpected(present.error());
  Edits edits;
  for (const auto& [name, text] : *present) edits[name] = std::nullopt;
  for (const auto& [name, text] : *wanted) edits[name] = text;
  return store->update(edits, entry, *newest);
}

}  // namespace rltune::configstore
