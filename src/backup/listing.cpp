#include "rltune/backup/listing.hpp"

namespace rltune::backup {

Result<std::vector<Listed>> read_listing(const std::filesystem::path& folder, const Key& key, std::size_t most) {
  const auto files = list(folder);
  if (!files) return std::unexpected(files.error());
  std::vector<Listed> listed;
  const std::size_t first = files->size() > most ? files->size() - most : 0;
  for (std::size_t i = first; i < files->size(); ++i) {
    std::error_code code;
    const std::uintmax_t bytes = std::filesystem::file_size((*files)[i], code);
    listed.push_back({.file = (*files)[i], .bytes = code ? 0 : bytes, .manifest = read_manifest((*files)[i], key)});
  }
  return listed;
}

}  // namespace rltune::backup
