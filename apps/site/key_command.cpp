// rltune site key FILE [--rotate]
#include <memory>
#include <print>

#include "rltune/vault/vault.hpp"
#include "site.hpp"

namespace rltune::site {

void add_key_command(CLI::App& app) {
  const auto file = std::make_shared<std::filesystem::path>();
  const auto rotates = std::make_shared<bool>(false);
  CLI::App& command = *app.add_subcommand("key", "Make the key that keeps who did what, and why, encrypted");
  command.add_option("file", *file, "The file to make, outside the site's folder")->required();
  command.add_flag("--rotate", *rotates, "Put a new key before those of the file, which go on reading what is there");
  command.footer(
      "Name it in site.yaml, storage: {encrypted: true, key_file: FILE}, or give its text as RLTUNE_STORAGE_KEY or as "
      "the\nsystemd credential rltune-storage-key. A running site takes a new key when it is started again.\n\n"
      "Examples:\n"
      "  rltune site key /etc/rltune/north.key\n"
      "  rltune site key /etc/rltune/north.key --rotate");
  command.callback([file, rotates] {
    const auto done = *rotates ? vault::rotate(*file) : vault::Key::make_file(*file);
    if (!done) stop(done.error());
    std::println("{}: keep a copy of it away from this host; without it nobody reads who did what", file->string());
  });
}

}  // namespace rltune::site
