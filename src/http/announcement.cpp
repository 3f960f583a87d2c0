#include "rltune/http/announcement.hpp"

#include <format>
#include <nlohmann/json.hpp>

#include "rltune/base/file.hpp"

namespace rltune::http {

Result<Announcement> read_announcement(const std::filesystem::path& file) {
  std::error_code code;
  if (!std::filesystem::exists(file, code))
    return fail(Errc::not_found, std::format("nobody has written {} yet", file.string()));
  const auto text = read_file(file);
  if (!text) return std::unexpected(text.error());
  const auto told = nlohmann::json::parse(*text, nullptr, false);
  const auto is_text = [&](const char* name) { return told.contains(name) && told[name].is_string(); };
  if (!told.is_object() || !is_text("url") || !is_text("token"))
    return fail(Errc::parse, std::format("{} says no url and no token", file.string()));
  return Announcement{told["url"], told["token"]};
}

}  // namespace rltune::http
