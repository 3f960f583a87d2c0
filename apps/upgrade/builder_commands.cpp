// rltune upgrade key FILE | pack FOLDER --key FILE --out BUNDLE: the builder's side.
#include <format>
#include <memory>
#include <nlohmann/json.hpp>
#include <print>

#include "rltune/base/clock.hpp"
#include "rltune/base/secret.hpp"
#include "rltune/base/version.hpp"
#include "rltune/upgrade/bundle.hpp"
#include "upgrade_app.hpp"

namespace rltune::upgrade_app {
namespace {

namespace fs = std::filesystem;
using command::stop;

struct PackOptions {
  fs::path folder, key, out;
  std::string version;
  bool json = false;
};

audit::SigningKey signing_key(const fs::path& file) {
  auto seed = find_secret("bundle-key", file);
  if (!seed) stop(seed.error());
  if (!*seed)
    stop(command::kFailed,
         std::format("there is no key in {}; make one: rltune upgrade key {}", file.string(), file.string()));
  auto key = audit::SigningKey::of_seed(**seed);
  if (!key) stop(command::kFailed, std::format("{}: {}", file.string(), key.error().message));
  return std::move(*key);
}

void pack_bundle(const PackOptions& options) {
  const upgrade::Manifest about{.version = options.version.empty() ? std::string(version()) : options.version,
                                .architecture = upgrade::own_architecture(),
                                .created = format_rfc3339(WallClock().now()),
                                .formats = upgrade::own_formats()};
  const auto packed = upgrade::pack(options.folder, about, signing_key(options.key), options.out);
  if (!packed) stop(packed.error());
  if (options.json)
    return std::println("{}", nlohmann::ordered_json{{"bundle", options.out.string()},
                                                     {"version", packed->version},
                                                     {"architecture", packed->architecture},
                                                     {"files", packed->files.size()},
                                                     {"bytes", fs::file_size(options.out)},
                                                     {"key", packed->key}}
                                  .dump(2));
  std::println("{}: {} for {}, {} files, {} MiB, signed by {}", options.out.string(), packed->version,
               packed->architecture, packed->files.size(), fs::file_size(options.out) >> 20, packed->key);
}

void make_key(const fs::path& file) {
  const auto key = upgrade::make_key(file);
  if (!key) stop(key.error());
  std::println("{} stays with the builder; {}.pub goes into the folder keys of every host", file.string(),
               file.string());
}

}  // namespace

void add_builder_commands(CLI::App& app) {
  const auto file = std::make_shared<fs::path>();
  CLI::App& key = *app.add_subcommand("key", "Make the key pair that signs bundles");
  key.add_option("file", *file, "Of the secret; FILE.pub is the public key")->required();
  key.footer("Example:\n  rltune upgrade key keys/builder");
  key.callback([file] { make_key(*file); });

  const auto options = std::make_shared<PackOptions>();
  CLI::App& pack = *app.add_subcommand("pack", "Make a bundle of a folder; ./dev bundle prepares one");
  pack.add_option("folder", options->folder, "With bin, lib and share")->required()->check(CLI::ExistingDirectory);
  pack.add_option("--key", options->key, "The secret; RLTUNE_BUNDLE_KEY and a systemd credential come before it")
      ->type_name("FILE")
      ->required();
  pack.add_option("--out", options->out, "The bundle")->type_name("FILE")->required();
  pack.add_option("--version", options->version, "Of the programs in it, where they are not of this one's");
  pack.add_flag("--json", options->json, "One JSON object on stdout");
  pack.footer("Example:\n  rltune upgrade pack stage --key keys/builder --out rltune_0.2.0_amd64.bundle");
  pack.callback([options] { pack_bundle(*options); });
}

}  // namespace rltune::upgrade_app
