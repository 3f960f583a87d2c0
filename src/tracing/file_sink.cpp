#include <format>
#include <optional>

#include "otlp.hpp"
#include "rltune/base/append_file.hpp"

namespace rltune::tracing {
namespace {

class FileSink final : public Sink {
 public:
  FileSink(const std::filesystem::path& folder, std::uint64_t bytes_max, Origin origin)
      : path_(folder / (origin.role + ".jsonl")), bytes_max_(bytes_max / 2), origin_(std::move(origin)) {}

  Result<> send(std::span<const trace::Record> spans, Duration) override {
    const std::string line = to_json(to_otlp(origin_, spans)) + "\n";
    if (auto opened = open(); !opened) return opened;
    if (auto added = file_->add(line); !added) {
      file_.reset();
      return added;
    }
    if (file_->size() >= bytes_max_) put_away();
    return {};
  }

 private:
  Result<> open() {
    if (file_) return {};
    std::error_code code;
    std::filesystem::create_directories(path_.parent_path(), code);
    if (code) return fail(Errc::io, std::format("cannot create {}: {}", path_.parent_path().string(), code.message()));
    auto file = AppendFile::open(path_);
    if (!file) return std::unexpected(file.error());
    file_.emplace(std::move(*file));
    return {};
  }
  void put_away() {
    file_.reset();
    std::error_code ignored;
    std::filesystem::rename(path_, path_.string() + ".1", ignored);
  }

  std::filesystem::path path_;
  std::uint64_t bytes_max_;
  Origin origin_;
  std::optional<AppendFile> file_;
};

}  // namespace

std::unique_ptr<Sink> make_file_sink(const std::filesystem::path& folder, std::uint64_t bytes_max,
                                     const Origin& origin) {
  return std::make_unique<FileSink>(folder, bytes_max, origin);
}

}  // namespace rltune::tracing
