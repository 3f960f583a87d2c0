// Reads what a buffer keeps, beside who writes it: never waits for a commit, and no commit waits for it. What retention
// removes meanwhile is below the floor from then on, and no error.
//
// Threads: any, several at once. Who goes on where an earlier read ended does not begin at the segment's beginning.
// Memory: the batch, a window of the segment, and sixteen places where reading ended.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "rltune/telemetry/record_source.hpp"
#include "rltune/telemetry/storage.hpp"

namespace rltune::telemetry {

class Published;
struct View;

class RecordReader final : public RecordSource {
 public:
  // `renew` looks at the folder again, where nobody in this process writes it.
  using Renew = std::function<Result<View>()>;
  RecordReader(std::shared_ptr<Storage> storage, std::shared_ptr<Published> published, Renew renew = {});

  Result<StoredBatch> read(std::uint64_t from, std::size_t bytes_max) override;
  std::uint64_t floor() const override;
  std::uint64_t acknowledged() const override;

  // Acknowledged records that were found to be lost since the start, each counted once.
  std::uint64_t lost() const;
  void note_lost(const SequenceRange& range);

  // For the module's own files.
  Storage& storage() const noexcept { return *storage_; }
  Published& published() const noexcept { return *published_; }

 private:
  // Where a read ended: the frame of `next` begins there or behind it.
  struct Place {
    std::uint64_t segment = 0, offset = 0, next = 0;
  };
  struct Reading;
  Place take_place(std::uint64_t next);
  void put_place(const Place& place);
  Result<bool> read_segment(Reading& reading);
  Result<View> look_again();

  std::shared_ptr<Storage> storage_;
  std::shared_ptr<Published> published_;
  Renew renew_;
  std::mutex places_mutex_;
  std::vector<Place> places_;  // the oldest first
  mutable std::mutex lost_mutex_;
  std::map<std::uint64_t, std::uint64_t> lost_;  // first -> last
  std::uint64_t lost_count_ = 0;
};

// Of a folder that another process may be writing: nothing is locked, repaired or changed; read() sees what was
// acknowledged since as well. Errors: not_found: there is no buffer; io.
Result<std::unique_ptr<RecordReader>> open_to_read(const std::filesystem::path& folder);

}  // namespace rltune::telemetry
