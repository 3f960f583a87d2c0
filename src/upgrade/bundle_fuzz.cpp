// Outside bytes as a bundle: whatever they are, they are refused or they are a bundle.
#include <unistd.h>

#include <fstream>

#include "rltune/upgrade/bundle.hpp"
#include "rltune/upgrade/root.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune::upgrade;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  if (const auto manifest = decode_manifest(bytes); manifest && !decode_manifest(encode(*manifest))) __builtin_trap();
  if (const auto note = decode_note(bytes); note && !decode_note(encode(*note))) __builtin_trap();
  const std::string file = "/tmp/rltune-bundle-fuzz-" + std::to_string(::getpid());
  std::ofstream(file, std::ios::binary) << bytes;
  const std::string keys[] = {"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"};
  if (const auto bundle = open_bundle(file, keys)) (void)verify(*bundle);
  return 0;
}
