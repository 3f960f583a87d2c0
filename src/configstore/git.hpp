// libgit2's objects as owned values, its errors as ours.
#pragma once

#include <git2.h>

#include <filesystem>
#include <memory>
#include <string>

#include "rltune/base/error.hpp"

namespace rltune::configstore::git {

template <auto free>
struct Deleter {
  void operator()(auto* object) const noexcept { free(object); }
};
using Repository = std::unique_ptr<git_repository, Deleter<git_repository_free>>;
using Object = std::unique_ptr<git_object, Deleter<git_object_free>>;
using Commit = std::unique_ptr<git_commit, Deleter<git_commit_free>>;
using Tree = std::unique_ptr<git_tree, Deleter<git_tree_free>>;
using Blob = std::unique_ptr<git_blob, Deleter<git_blob_free>>;
using TreeBuilder = std::unique_ptr<git_treebuilder, Deleter<git_treebuilder_free>>;
using Reference = std::unique_ptr<git_reference, Deleter<git_reference_free>>;
using Signature = std::unique_ptr<git_signature, Deleter<git_signature_free>>;
using Walk = std::unique_ptr<git_revwalk, Deleter<git_revwalk_free>>;
using Patch = std::unique_ptr<git_patch, Deleter<git_patch_free>>;

// Once a process, before anything else of libgit2.
void start();

// The error of the call that answered `code`. Errors: not_found, corrupt, io.
std::unexpected<Error> failed(int code, const std::string& what);

std::string to_string(const git_oid& id);

// That each object of a repository can be read to its end: libgit2 1.9 reads for ever in one that is cut short, as a
// loss of power leaves it. Errors: corrupt, with the file's name.
Result<> check_objects(const std::filesystem::path& repository);

// Calls make(&out, arguments...) and owns what it made.
template <typename Owner, typename Make, typename... Arguments>
Result<Owner> own(const std::string& what, Make make, Arguments... arguments) {
  typename Owner::pointer made = nullptr;
  if (const int code = make(&made, arguments...); code != 0) return failed(code, what);
  return Owner(made);
}

}  // namespace rltune::configstore::git
