#include "rltune/access/sealed_secret.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <format>

#include "rltune/access/password.hpp"
#include "rltune/access/secret.hpp"
#include "rltune/base/descriptor.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/secret.hpp"

namespace rltune::access {

Result<std::string> SealedSecret::make() const {
  std::string secret = make_secret();
  const auto hash = hash_password(secret);
  if (!hash) return std::unexpected(hash.error());
  if (auto written = write_secret_file(file_, *hash + "\n"); !written) return std::unexpected(written.error());
  return secret;
}

Result<bool> SealedSecret::take(std::string_view secret) const {
  const auto hash = read_secret_file(file_);
  if (!hash) return std::unexpected(hash.error());
  if (!verify_password(secret, hash->value_or(""))) return false;
  if (::unlink(file_.c_str()) != 0) {
    if (errno == ENOENT) return false;  // somebody else was first
    return fail(Errc::io, std::format("{} cannot be removed", file_.string()));
  }
  const Descriptor folder(::open(file_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || ::fsync(folder.get()) != 0)
    return fail(Errc::io, std::format("the removal of {} is not on the disk", file_.string()));
  return true;
}

}  // namespace rltune::access
