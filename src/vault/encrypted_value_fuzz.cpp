// Outside bytes as stored values: as they are, and as what follows an honest beginning.
#include <cstdlib>
#include <string>

#include "rltune/vault/vault.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune::vault;
  static const Vault vault = Vault::with({*Key::parse(std::string(64, '7'))});
  static const Vault plain;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const Place place{"history", "user", "climate"};
  const std::string honest = vault.put("mia", place);
  // Nobody guesses a tag: what opens is either no value of ours, or one that was made here.
  for (const std::string& stored : {bytes, honest.substr(0, honest.rfind(':') + 1) + bytes}) {
    const auto text = vault.open(stored, place);
    if (text && *text != stored && *text != "mia") std::abort();
    (void)plain.show(stored, place);
  }
  if (!bytes.empty() && vault.open(vault.put(bytes.substr(0, 4096), place), place).value() != bytes.substr(0, 4096))
    std::abort();
  // Where nothing is encrypted a text stays what it is, and never passes for a value of ours.
  const auto back = plain.open(plain.put(bytes, place), place);
  if (!back || (*back != bytes && *back != " " + bytes)) std::abort();
  return 0;
}
