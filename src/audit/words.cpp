#include "words.hpp"

#include <format>
#include <nlohmann/json.hpp>

namespace rltune::audit {
namespace {

using nlohmann::ordered_json;

// Encrypted it is a third longer and has a head, and has to fit where texts are cut at 4 KiB.
constexpr std::size_t kWordsBytesMax = 3000;

// As encode() would write it.
std::string as_text(const std::string& words) {
  return ordered_json::parse(ordered_json(words).dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

template <typename Change>
Entry with_each(Entry entry, const std::string& role, std::uint64_t sequence, Change change) {
  const std::string table = "audit/" + role, row = std::to_string(sequence);
  entry.actor = change(entry.actor, vault::Place{table, "actor", row});
  entry.reason = change(entry.reason, vault::Place{table, "reason", row});
  for (auto& [name, value] : entry.details) {
    const std::string column = "details." + name;
    value = change(value, vault::Place{table, column, row});
  }
  return entry;
}

}  // namespace

std::string bounded(const std::string& text, std::size_t bytes_max) {
  std::size_t size = std::min(text.size(), bytes_max);
  while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
  return text.substr(0, size);
}

Entry stored(Entry entry, const std::string& role, std::uint64_t sequence, const vault::Vault& vault) {
  if (entry.actor == role) return entry;
  return with_each(std::move(entry), role, sequence, [&](const std::string& words, const vault::Place& place) {
    return vault.put(vault.encrypts() ? as_text(bounded(words, kWordsBytesMax)) : words, place);
  });
}

Entry shown(Entry entry, const std::string& role, std::uint64_t sequence, const vault::Vault& vault) {
  return with_each(std::move(entry), role, sequence,
                   [&](const std::string& words, const vault::Place& place) { return vault.show(words, place); });
}

}  // namespace rltune::audit
