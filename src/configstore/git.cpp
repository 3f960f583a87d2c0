#include "git.hpp"

#include <zlib.h>

#include <format>
#include <mutex>

#include "rltune/base/file.hpp"

namespace rltune::configstore::git {

void start() {
  static std::once_flag once;
  std::call_once(once, [] {
    git_libgit2_init();
    git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
    // A person's or a machine's git settings are no business of a site's. An administrator reads the repository of the
    // service's user: libgit2 runs no program of a repository, so that its owner matters to nobody.
    for (const int level : {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL})
      git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
  });
}

std::unexpected<Error> failed(int code, const std::string& what) {
  const git_error* error = git_error_last();
  const std::string why = error != nullptr && error->message != nullptr ? error->message : "no reason given";
  const Errc errc = code == GIT_ENOTFOUND   ? Errc::not_found
                    : code == GIT_EMISMATCH ? Errc::corrupt
                    : error != nullptr && (error->klass == GIT_ERROR_ODB || error->klass == GIT_ERROR_OBJECT ||
                                           error->klass == GIT_ERROR_ZLIB)
                        ? Errc::corrupt
                        : Errc::io;
  return fail(errc, std::format("{}: {}", what, why));
}

std::string to_string(const git_oid& id) {
  char text[GIT_OID_MAX_HEXSIZE + 1] = {};
  git_oid_tostr(text, sizeof text, &id);
  return text;
}

namespace {

bool inflates(const std::string& bytes) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return false;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  char out[16384];
  int code = Z_OK;
  while (code == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(out);
    stream.avail_out = sizeof out;
    code = inflate(&stream, Z_NO_FLUSH);
  }
  inflateEnd(&stream);
  return code == Z_STREAM_END;
}

}  // namespace

Result<> check_objects(const std::filesystem::path& repository) {
  std::error_code code;
  std::filesystem::recursive_directory_iterator entries(repository / "objects", code);
  for (; !code && entries != std::filesystem::recursive_directory_iterator(); entries.increment(code)) {
    const std::string name = entries->path().filename().string();
    std::error_code ignored;
    if (name.size() != GIT_OID_SHA1_HEXSIZE - 2 || !entries->is_regular_file(ignored)) continue;
    const auto bytes = read_file(entries->path());
    if (bytes && !inflates(*bytes))
      return fail(
          Errc::corrupt,
          std::format("{} is damaged; bring {} back from a backup, or move it away: the files in the folder stay, "
                      "and the next change starts a new history",
                      entries->path().string(), repository.string()));
  }
  return {};
}

}  // namespace rltune::configstore::git
