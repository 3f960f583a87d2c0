#include "rltune/access/key_ring.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <format>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>

#include "rltune/base/file.hpp"
#include "rltune/base/log.hpp"
#include "signing_key.hpp"

namespace rltune::access {
namespace {

using Json = nlohmann::ordered_json;

struct Entry {
  SigningKey key;
  KeyInfo info;
};
using Entries = std::vector<Entry>;

constexpr std::array kStates{std::pair{KeyState::next, "next"}, std::pair{KeyState::signing, "signing"},
                             std::pair{KeyState::verifying, "verifying"}};

const char* to_string(KeyState state) {
  return std::ranges::find(kStates, state, &std::pair<KeyState, const char*>::first)->second;
}

std::string to_text(const Entries& entries) {
  Json keys = Json::array();
  for (const Entry& entry : entries)
    keys.push_back({{"state", to_string(entry.info.state)},
                    {"made", format_rfc3339(entry.info.made)},
                    {"until", format_rfc3339(entry.info.until)},
                    {"d", entry.key.seed()}});
  return Json{{"schema", "rltune/signing-keys/v1"}, {"keys", std::move(keys)}}.dump(1) + "\n";
}

Result<Entry> entry_of(const Json& json) {
  auto key = SigningKey::from_seed(json.at("d").get_ref<const std::string&>());
  if (!key) return std::unexpected(key.error());
  const auto made = parse_rfc3339(json.at("made").get<std::string>());
  const auto until = parse_rfc3339(json.at("until").get<std::string>());
  const auto state = std::ranges::find(kStates, json.at("state").get<std::string>(),
                                       [](const auto& known) { return std::string(known.second); });
  if (!made || !until || state == kStates.end()) return fail(Errc::corrupt, "a time or a state is none");
  Entry entry{.key = *key, .info = {.state = state->first, .made = *made, .until = *until}};
  entry.info.id = entry.key.id();
  return entry;
}

Result<Entries> parse(const std::string& text) try {
  const Json json = Json::parse(text);
  if (json.at("schema") != "rltune/signing-keys/v1") return fail(Errc::corrupt, "it is of another schema");
  Entries entries;
  for (const Json& one : json.at("keys")) {
    auto entry = entry_of(one);
    if (!entry) return std::unexpected(entry.error());
    entries.push_back(std::move(*entry));
  }
  const auto count = [&](KeyState state) {
    return std::ranges::count(entries, state, [](const Entry& entry) { return entry.info.state; });
  };
  if (count(KeyState::signing) != 1 || count(KeyState::next) != 1)
    return fail(Errc::corrupt, "it has not one key that signs and one that is next");
  return entries;
} catch (const Json::exception&) {
  return fail(Errc::corrupt, "it is no file of signing keys");
}

Result<> check_private(const std::filesystem::path& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return fail(Errc::io, file.string() + " cannot be looked at");
  if ((status.st_mode & 077U) == 0) return {};
  return fail(Errc::denied,
              std::format("{0} can be read by others, so its keys may be known: chmod 600 {0}, and rotate "
                          "them twice",
                          file.string()));
}

}  // namespace

struct KeyRing::State {
  State(KeyRingOptions with, const Clock& time) : options(std::move(with)), clock(time) {}

  Result<> load() {
    const auto text = read_file(options.file);
    if (!text && text.error().code == Errc::not_found) return begin();
    if (!text) return std::unexpected(text.error());
    if (auto closed = check_private(options.file); !closed) return closed;
    auto parsed = parse(*text);
    if (!parsed)
      return fail(parsed.error().code,
                  std::format("{}: {}; take it from a backup, or remove it: everybody then signs in "
                              "again",
                              options.file.string(), parsed.error().message));
    entries = std::move(*parsed);
    return {};
  }

  Result<> begin() {
    Entries fresh;
    for (const KeyState state : {KeyState::signing, KeyState::next}) fresh.push_back(new_entry(state));
    return keep(std::move(fresh));
  }

  Entry new_entry(KeyState state) const {
    const TimePoint now = clock.now();
    Entry entry{.key = SigningKey::make(), .info = {.state = state, .made = now, .until = now + options.rotate_every}};
    entry.info.id = entry.key.id();
    return entry;
  }

  // What is not on disk is not so: a key that signs and is gone after a crash would have made tokens that nobody can
  // verify.
  Result<> keep(Entries changed) {
    if (auto done = write_secret_file(options.file, to_text(changed)); !done) return done;
    entries = std::move(changed);
    return {};
  }

  Result<> rotate() {
    Entries changed = entries;
    for (Entry& entry : changed) {
      if (entry.info.state == KeyState::signing) {
        entry.info.state = KeyState::verifying;
        entry.info.until = clock.now() + options.verify_for;
      } else if (entry.info.state == KeyState::next) {
        entry.info.state = KeyState::signing;
        entry.info.until = clock.now() + options.rotate_every;
      }
    }
    changed.push_back(new_entry(KeyState::next));
    return keep(std::move(changed));
  }

  const Entry& in(KeyState state) const {
    return *std::ranges::find(entries, state, [](const Entry& entry) { return entry.info.state; });
  }

  const KeyRingOptions options;
  const Clock& clock;
  mutable std::mutex mutex;
  Entries entries;
  std::atomic<std::uint64_t> losses = 0;
};

Result<std::unique_ptr<KeyRing>> KeyRing::open(KeyRingOptions options, const Clock& clock) {
  auto state = std::make_unique<State>(std::move(options), clock);
  if (auto loaded = state->load(); !loaded) return std::unexpected(loaded.error());
  return std::unique_ptr<KeyRing>(new KeyRing(std::move(state)));
}

KeyRing::KeyRing(std::unique_ptr<State> state) : state_(std::move(state)) {}
KeyRing::~KeyRing() = default;

Result<bool> KeyRing::turn() {
  const std::scoped_lock lock(state_->mutex);
  const TimePoint now = state_->clock.now();
  bool changed = false;
  if (state_->in(KeyState::signing).info.until <= now) {
    if (auto done = state_->rotate(); !done) return std::unexpected(done.error());
    log::info("tokens are signed with another key", {{"key", state_->in(KeyState::signing).info.id}});
    changed = true;
  }
  const auto ended = [&](const Entry& entry) {
    return entry.info.state == KeyState::verifying && entry.info.until <= now;
  };
  if (std::ranges::any_of(state_->entries, ended)) {
    Entries left = state_->entries;
    std::erase_if(left, ended);
    if (auto done = state_->keep(std::move(left)); !done) return std::unexpected(done.error());
    ++state_->losses;
    changed = true;
  }
  return changed;
}

Result<> KeyRing::rotate() {
  const std::scoped_lock lock(state_->mutex);
  return state_->rotate();
}

Result<> KeyRing::revoke(std::string_view id) {
  const std::scoped_lock lock(state_->mutex);
  const auto named = [&](const Entry& entry) { return entry.info.id == id; };
  const auto found = std::ranges::find_if(state_->entries, named);
  if (found == state_->entries.end()) return fail(Errc::not_found, "there is no such key");
  const KeyState was = found->info.state;
  if (was == KeyState::signing)
    if (auto done = state_->rotate(); !done) return done;
  Entries left = state_->entries;
  std::erase_if(left, named);
  if (was == KeyState::next) left.push_back(state_->new_entry(KeyState::next));
  if (auto done = state_->keep(std::move(left)); !done) return done;
  ++state_->losses;
  return {};
}

std::uint64_t KeyRing::losses() const noexcept { return state_->losses; }

std::vector<KeyInfo> KeyRing::keys() const {
  const std::scoped_lock lock(state_->mutex);
  std::vector<KeyInfo> all;
  for (const Entry& entry : state_->entries) all.push_back(entry.info);
  return all;
}

std::string KeyRing::jwks() const {
  const std::scoped_lock lock(state_->mutex);
  Json keys = Json::array();
  for (const Entry& entry : state_->entries)
    keys.push_back({{"kty", "OKP"},
                    {"crv", "Ed25519"},
                    {"use", "sig"},
                    {"alg", "EdDSA"},
                    {"kid", entry.key.id()},
                    {"x", entry.key.x()}});
  return Json{{"keys", std::move(keys)}}.dump();
}

KeyRing::Signed KeyRing::sign(const MessageOf& message_of) const {
  const std::scoped_lock lock(state_->mutex);
  const SigningKey& key = state_->in(KeyState::signing).key;
  std::string message = message_of(key.id());
  std::string signature = key.sign(message);
  return {std::move(message), std::move(signature)};
}

bool KeyRing::verify(std::string_view id, std::string_view message, std::string_view signature) const {
  std::optional<SigningKey> key;
  {
    const std::scoped_lock lock(state_->mutex);
    for (const Entry& entry : state_->entries)
      if (entry.key.id() == id) key = entry.key;
  }
  return key && key->verify(message, signature);
}

}  // namespace rltune::access
