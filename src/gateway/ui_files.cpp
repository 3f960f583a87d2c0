#include "ui_files.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <format>

#include "if_none_match.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/sha256.hpp"

namespace rltune::gateway {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBytesMax = std::size_t{64} << 20U, kFilesMax = 5'000, kHashMin = 8, kEtagDigits = 32;
constexpr std::string_view kIndex = "/index.html";
constexpr std::string_view kForEver = "public, max-age=31536000, immutable", kAskAgain = "no-cache";

struct Kind {
  std::string_view ending, type;
  bool packs = true;  // it is not compressed by itself
};
constexpr std::array kKinds{
    Kind{".html", "text/html; charset=utf-8"},
    Kind{".css", "text/css; charset=utf-8"},
    Kind{".js", "text/javascript; charset=utf-8"},
    Kind{".mjs", "text/javascript; charset=utf-8"},
    Kind{".json", "application/json"},
    Kind{".map", "application/json"},
    Kind{".webmanifest", "application/manifest+json"},
    Kind{".wasm", "application/wasm"},
    Kind{".svg", "image/svg+xml"},
    Kind{".png", "image/png", false},
    Kind{".jpg", "image/jpeg", false},
    Kind{".webp", "image/webp", false},
    Kind{".ico", "image/x-icon"},
    Kind{".woff2", "font/woff2", false},
    Kind{".txt", "text/plain; charset=utf-8"},
};

// A page holds its own files and calls its own gateway; nothing that stands in the page itself is run, and nobody else
// frames it. Frames of live values come from 'self' as well, over wss.
const std::map<std::string, std::string> kHeaders{
    {"Content-Security-Policy",
     "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Content-Type-Options", "nosniff"}};

const Kind* kind_of(std::string_view path) {
  const auto kind = std::ranges::find_if(kKinds, [&](const Kind& one) { return path.ends_with(one.ending); });
  return kind == kKinds.end() ? nullptr : &*kind;
}

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// The API's paths and those that begin with a dot are never a page's.
bool is_pages(std::string_view path) {
  const std::string_view first = path.substr(0, path.find('/', 1));
  return path.starts_with('/') && first != "/api" && !path.contains("/.") && !path.contains("//") &&
         !path.contains('%');
}

bool is_plain_file(const fs::directory_entry& entry) {
  std::error_code failed;
  return entry.is_regular_file(failed) && !entry.is_symlink(failed) && !failed;
}

std::unexpected<Error> too_large(const fs::path& folder) {
  return fail(Errc::no_space, std::format("{} holds more than {} MiB or {} files: name a folder that holds the built "
                                          "files of a user interface alone",
                                          folder.string(), kBytesMax >> 20U, kFilesMax));
}

}  // namespace

bool names_its_content(std::string_view path) {
  if (!path.starts_with("/assets/")) return false;
  const std::string_view name = name_of(path), stem = name.substr(0, name.find_last_of('.'));
  const auto letter = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; };
  const auto telling = [](unsigned char c) { return std::isdigit(c) != 0 || std::isupper(c) != 0; };
  for (std::size_t at = stem.find_first_of(".-"); at != stem.npos; at = stem.find_first_of(".-", at + 1)) {
    const std::string_view hash = stem.substr(at + 1);
    if (hash.size() >= kHashMin && std::ranges::all_of(hash, letter) && std::ranges::any_of(hash, telling)) return true;
  }
  return false;
}

Result<UiFiles> UiFiles::load(const fs::path& folder) {
  UiFiles loaded;
  std::error_code failed;
  std::size_t bytes = 0;
  for (fs::recursive_directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    if (at->path().filename().string().starts_with('.')) {
      at.disable_recursion_pending();
      continue;
    }
    const std::string path = "/" + at->path().lexically_relative(folder).generic_string();
    const Kind* const kind = kind_of(path);
    if (!is_plain_file(*at) || kind == nullptr || !is_pages(path)) continue;
    bytes += at->file_size(failed);
    if (bytes > kBytesMax || loaded.files_.size() >= kFilesMax) return too_large(folder);
    auto body = read_file(at->path());
    if (!body) return std::unexpected(body.error());
    std::string etag = std::format("\"{}", sha256(*body).substr(0, kEtagDigits));
    loaded.files_[path] = {.body = KeptBody(std::move(*body), kind->packs),
                           .etag = std::move(etag),
                           .type = kind->type,
                           .cache_control = names_its_content(path) ? kForEver : kAskAgain};
  }
  if (failed) return fail(Errc::io, std::format("{} cannot be read: {}", folder.string(), failed.message()));
  if (!loaded.files_.contains(kIndex))
    return fail(Errc::not_found, std::format("{} holds no index.html", folder.string()));
  return loaded;
}

std::optional<UiFiles> load_ui(const fs::path& named, const fs::path& site_folder) {
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed).parent_path();
  const fs::path folder =
      fs::weakly_canonical(named.empty() ? program.parent_path() / "share" / "ui" : site_folder / named, failed);
  if (named.empty() && !fs::exists(folder, failed)) return std::nullopt;
  const auto site_below = fs::weakly_canonical(site_folder, failed).lexically_relative(folder);
  const bool holds_site = !site_below.empty() && *site_below.begin() != "..";
  Result<UiFiles> loaded = fail(Errc::invalid_argument, "it holds the site's folder, which is nobody else's to read");
  if (!holds_site) loaded = UiFiles::load(folder);
  if (!loaded) {
    log::warning("no user interface is served", {{"folder", folder.string()}, {"reason", loaded.error().message}});
    return std::nullopt;
  }
  log::info("serves the user interface", {{"folder", folder.string()},
                                          {"files", std::to_string(loaded->count())},
                                          {"bytes", std::to_string(loaded->bytes())}});
  return std::move(*loaded);
}

std::size_t UiFiles::bytes() const {
  std::size_t sum = 0;
  for (const auto& [path, file] : files_) sum += file.body.whole().size();
  return sum;
}

const UiFiles::File* UiFiles::find(std::string_view path) const {
  if (!is_pages(path)) return nullptr;
  if (const auto found = files_.find(path); found != files_.end()) return &found->second;
  return name_of(path).contains('.') ? nullptr : &files_.find(kIndex)->second;
}

std::optional<webserver::Response> UiFiles::answer(const webserver::Request& request) const {
  const File* const file = find(request.path);
  if (file == nullptr) return std::nullopt;
  if (request.method != "GET" && request.method != "HEAD") {
    webserver::Response refused = webserver::problem(405, "here only GET, HEAD");
    refused.headers["Allow"] = "GET, HEAD";
    return refused;
  }
  webserver::Response response{.body = {}, .type = std::string(file->type), .headers = kHeaders};
  const bool packed = file->body.put(request, response);
  const std::string etag = file->etag + (packed ? "-gzip\"" : "\"");  // each form has its own (RFC 9110, 8.8.3)
  response.headers["Cache-Control"] = file->cache_control;
  response.headers["ETag"] = etag;
  const auto known = request.headers.find("if-none-match");
  if (known != request.headers.end() && names_etag(known->second, etag)) {
    response.status = 304;
    response.body.clear();
    response.type.clear();
    response.headers.erase("Content-Encoding");
  }
  return response;
}

}  // namespace rltune::gateway
