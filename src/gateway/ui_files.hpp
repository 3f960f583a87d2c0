// The built files of a user interface, read once and served from memory: what is not among them cannot be reached,
// whatever a path says. Links, hidden files and files of an ending that no user interface has are left out, so that a
// folder named by mistake gives away neither keys nor databases.
//
// Threads: any.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "compression.hpp"
#include "rltune/base/error.hpp"
#include "rltune/webserver/request.hpp"

namespace rltune::gateway {

class UiFiles {
 public:
  // Errors: not_found: no index.html is there; io; no_space: more than 64 MiB, or 5,000 files.
  static Result<UiFiles> load(const std::filesystem::path& folder);

  // The file of that path; index.html for every path of a page, which has no ending. nullopt: it is none of them, or
  // not a user interface's affair, as /api is not.
  std::optional<webserver::Response> answer(const webserver::Request& request) const;

  std::size_t count() const { return files_.size(); }
  std::size_t bytes() const;

 private:
  struct File {
    KeptBody body;
    std::string etag;  // without its closing mark
    std::string_view type, cache_control;
  };
  const File* find(std::string_view path) const;

  std::map<std::string, File, std::less<>> files_;  // by path: "/assets/app-3f2a9c1e.js"
};

// Those that site.yaml names, or, where it names none, those beside the program: ../share/ui. nullopt: there are none,
// or they cannot be used, which the log tells.
std::optional<UiFiles> load_ui(const std::filesystem::path& named, const std::filesystem::path& site_folder);

// Whether the name says the content, as bundlers write it into the folder assets: "/assets/index-BfA3x9_Q.js".
bool names_its_content(std::string_view path);

}  // namespace rltune::gateway
