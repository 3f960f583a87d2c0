// A site's tags, their samples and rollups, as others ask for them: pages out of a reader of its own beside the writer.
//
// Threads: tell() from any; everything else belongs to the thread of a ReadingThread.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "rltune/base/error.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/config/site.hpp"
#include "rltune/historian/historian.hpp"
#include "rltune/reading/page_max.hpp"
#include "rltune/v1/history.pb.h"

namespace rltune::reading {

class History {
 public:
  // `storage`: the folder that the historian writes.
  explicit History(std::filesystem::path storage) : storage_(std::move(storage)) {}

  // The tags and limits that are in force from now on.
  void tell(const config::Site& site);
  void add_to(bus::Server& server);

  // Errors: not_found (the site has no such tag, and none is recorded), invalid_argument, corrupt, io.
  Result<> samples(const v1::SamplesRequest& request, v1::SamplesAnswer& answer);
  Result<> rollups(const v1::RollupsRequest& request, v1::RollupsAnswer& answer);

 private:
  // Null: the site has the tag, and nothing of it is recorded yet.
  Result<const historian::Historian*> reader_of(const std::string& tag);
  bool is_recorded(const std::string& tag) const;

  std::filesystem::path storage_;
  std::atomic<std::shared_ptr<const v1::TagsAnswer>> tags_{std::make_shared<const v1::TagsAnswer>()};
  std::optional<historian::Historian> reader_;
};

}  // namespace rltune::reading
