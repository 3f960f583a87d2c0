#include "rltune/config/followed.hpp"

#include "rltune/base/log.hpp"
#include "rltune/config/document.hpp"

namespace rltune::config {
namespace {

std::string name_of(const Telemetry&) { return file_name(Kind::telemetry); }
std::string name_of(const Retention&) { return file_name(Kind::retention); }
std::string name_of(const Users&) { return file_name(Kind::users); }
Result<Telemetry> load(const std::filesystem::path& file, const Telemetry&) { return load_telemetry(file); }
Result<Retention> load(const std::filesystem::path& file, const Retention&) { return load_retention(file); }
Result<Users> load(const std::filesystem::path& file, const Users&) { return load_users(file); }

}  // namespace

template <typename T>
Followed<T>::Followed(const std::filesystem::path& folder) : file_(folder / name_of(T{})) {}

template <typename T>
bool Followed<T>::turn() {
  std::error_code none;
  const auto written = std::filesystem::last_write_time(file_, none);
  if (seen_ == written) return false;
  const bool first = !seen_;
  seen_ = written;
  if (none) {
    value_ = {};
    return true;
  }
  auto loaded = load(file_, value_);
  if (!loaded) {
    log::error("a file of the configuration cannot be used; what it said before holds",
               {{"file", file_.string()}, {"reason", loaded.error().message}});
    return first;
  }
  value_ = std::move(*loaded);
  return true;
}

std::function<Duration()> kept_for(const std::filesystem::path& folder, double Retention::* days) {
  return [file = Followed<Retention>(folder), days]() mutable {
    file.turn();
    return from_seconds(file.value().*days * 86'400.0);
  };
}

template class Followed<Telemetry>;
template class Followed<Retention>;
template class Followed<Users>;

}  // namespace rltune::config
