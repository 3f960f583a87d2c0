#include "s3_bucket.hpp"

#include <curl/curl.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <format>

#include "names.hpp"
#include "rltune/backup/container.hpp"
#include "rltune/base/secret.hpp"
#include "s3_listing.hpp"

namespace rltune::backup {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kObjectBytesMax = 5'000'000'000;
constexpr std::size_t kAnswerBytesMax = 4U << 20U;  // a page of a list: 1000 names
constexpr long kConnectTimeoutS = 10, kSilenceS = 60, kSlowestBytesPerS = 100;
constexpr int kPagesMax = 10'000;

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

struct Freed {
  void operator()(CURL* curl) const noexcept { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
  void operator()(char* text) const noexcept { curl_free(text); }
};

// One request and what came of it.
struct Exchange {
  std::string method, path, query;
  std::string content_sha256;  // of what is sent; empty: libcurl's affair
  std::FILE* send = nullptr;
  curl_off_t send_bytes = 0;
  std::FILE* receive = nullptr;  // where it is well; a refusal's words go to `answer`
  std::string answer;
  CURL* curl = nullptr;
};

std::size_t take_bytes(char* bytes, std::size_t, std::size_t count, void* to) {
  auto& exchange = *static_cast<Exchange*>(to);
  long status = 0;
  curl_easy_getinfo(exchange.curl, CURLINFO_RESPONSE_CODE, &status);
  if (exchange.receive != nullptr && status == 200) return std::fwrite(bytes, 1, count, exchange.receive);
  if (exchange.answer.size() + count > kAnswerBytesMax) return 0;
  exchange.answer.append(bytes, count);
  return count;
}

std::size_t give_bytes(char* bytes, std::size_t, std::size_t count, void* from) {
  return std::fread(bytes, 1, count, static_cast<Exchange*>(from)->send);
}

Errc errc_of(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return Errc::timeout;
    case CURLE_WRITE_ERROR:
      return Errc::no_space;
    case CURLE_PEER_FAILED_VERIFICATION:
      return Errc::denied;
    default:
      return Errc::disconnected;
  }
}

Errc errc_of(long status) {
  if (status == 401 || status == 403) return Errc::denied;
  if (status == 404) return Errc::not_found;
  return status == 429 || status >= 500 ? Errc::disconnected : Errc::io;
}

class S3Bucket final : public Offsite {
 public:
  struct Parts {
    std::string endpoint, bucket, prefix, region, credentials;
  };
  explicit S3Bucket(Parts parts) : parts_(std::move(parts)) {
    [[maybe_unused]] static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  }

  std::string name() const override {
    return std::format("s3://{}/{} at {}", parts_.bucket, parts_.prefix, parts_.endpoint);
  }

  Result<> put(const fs::path& file) override {
    std::error_code code;
    const auto bytes = fs::file_size(file, code);
    if (!code && bytes > kObjectBytesMax)
      return fail(
          Errc::unsupported,
          std::format("{} is larger than 5 GB, and one request of S3 takes no more; copy it to a folder, or let "
                      "retention keep less",
                      file.string()));
    const auto hash = hash_file(file);
    if (!hash) return std::unexpected(hash.error());
    const File stream(std::fopen(file.c_str(), "rbe"));
    if (!stream || code) return fail(Errc::io, std::format("cannot read {}", file.string()));
    Exchange exchange{.method = "PUT",
                      .path = "/" + parts_.prefix + file.filename().string(),
                      .query = {},
                      .content_sha256 = *hash,
                      .send = stream.get(),
                      .send_bytes = static_cast<curl_off_t>(bytes),
                      .answer = {}};
    return run(exchange);
  }

  Result<std::vector<Copy>> list() override {
    std::vector<Copy> copies;
    std::string next;
    for (int page = 0; page < kPagesMax; ++page) {
      Exchange exchange{.method = "GET", .path = "/", .query = {}, .content_sha256 = {}, .answer = {}};
      if (!next.empty()) exchange.query += "continuation-token=" + escaped(next) + "&";
      exchange.query += "list-type=2&prefix=" + escaped(parts_.prefix);
      if (auto done = run(exchange); !done) return std::unexpected(done.error());
      auto listing = parse_listing(exchange.answer);
      if (!listing) return std::unexpected(listing.error());
      for (const S3Listing::Object& object : listing->objects)
        if (object.key.starts_with(parts_.prefix) && is_backup(object.key.substr(parts_.prefix.size())))
          copies.push_back({object.key.substr(parts_.prefix.size()), object.bytes});
      if (listing->next.empty() || listing->next == next) break;
      next = listing->next;
    }
    std::ranges::sort(copies, {}, [](const Copy& copy) { return std::string(stamp_of(copy.name)); });
    return copies;
  }

  Result<> get(const std::string& object, const fs::path& file) override {
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) return fail(Errc::io, std::format("cannot create {}", file.string()));
    File stream(::fdopen(descriptor, "wb"));
    Exchange exchange{.method = "GET",
                      .path = "/" + parts_.prefix + object,
                      .query = {},
                      .content_sha256 = {},
                      .receive = stream.get(),
                      .answer = {}};
    auto done = run(exchange);
    if (std::fflush(stream.get()) != 0 && done)
      done = fail(Errc::no_space, std::format("cannot write {}", file.string()));
    std::error_code ignored;
    if (!done) fs::remove(file, ignored);
    return done;
  }

  Result<> remove(const std::string& object) override {
    Exchange exchange{
        .method = "DELETE", .path = "/" + parts_.prefix + object, .query = {}, .content_sha256 = {}, .answer = {}};
    return run(exchange);
  }

 private:
  static std::string escaped(const std::string& text) {
    const std::unique_ptr<char, Freed> safe(curl_easy_escape(nullptr, text.c_str(), static_cast<int>(text.size())));
    return safe ? safe.get() : "";
  }

  Result<> run(Exchange& exchange) const {
    const std::unique_ptr<CURL, Freed> curl(curl_easy_init());
    if (!curl) return fail(Errc::internal, "libcurl cannot be used on this machine");
    exchange.curl = curl.get();
    const std::string url =
        parts_.endpoint + "/" + parts_.bucket + exchange.path + (exchange.query.empty() ? "" : "?" + exchange.query);
    const std::unique_ptr<curl_slist, Freed> headers(headers_of(exchange));
    char said[CURL_ERROR_SIZE] = {};
    prepare(curl.get(), exchange, url, headers.get(), said);
    const CURLcode code = curl_easy_perform(curl.get());
    if (code != CURLE_OK)
      return fail(errc_of(code), std::format("{}: {}", name(), said[0] != '\0' ? said : curl_easy_strerror(code)));
    long status = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) return {};
    const std::string reason = reason_of(exchange.answer);
    return fail(errc_of(status), std::format("{} answers {}{}{}", name(), status, reason.empty() ? "" : ": ", reason));
  }

  static curl_slist* headers_of(const Exchange& exchange) {
    curl_slist* headers = curl_slist_append(nullptr, "Expect:");
    if (exchange.content_sha256.empty()) return headers;
    return curl_slist_append(headers, ("x-amz-content-sha256: " + exchange.content_sha256).c_str());
  }

  void prepare(CURL* curl, Exchange& exchange, const std::string& url, curl_slist* headers, char* said) const {
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, said);
    curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, ("aws:amz:" + parts_.region + ":s3").c_str());
    curl_easy_setopt(curl, CURLOPT_USERPWD, parts_.credentials.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectTimeoutS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kSlowestBytesPerS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kSilenceS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
    if (exchange.send != nullptr) {
      curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
      curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_bytes);
      curl_easy_setopt(curl, CURLOPT_READDATA, &exchange);
      curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, exchange.send_bytes);
    } else if (exchange.method != "GET") {
      curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, exchange.method.c_str());
    }
  }

  Parts parts_;
};

bool consists_of(const std::string& text, const std::string& others) {
  return std::ranges::all_of(text, [&](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 || others.find(static_cast<char>(c)) != std::string::npos);
  });
}

}  // namespace

Result<std::unique_ptr<Offsite>> open_s3_bucket(const OffsiteOptions& options) {
  const std::string rest = options.place.substr(std::string_view("s3://").size());
  const std::size_t slash = rest.find('/');
  S3Bucket::Parts parts{.endpoint = options.endpoint,
                        .bucket = rest.substr(0, slash),
                        .prefix = slash == std::string::npos ? "" : rest.substr(slash + 1),
                        .region = options.region,
                        .credentials = {}};
  if (!parts.prefix.empty() && !parts.prefix.ends_with('/')) parts.prefix += '/';
  const auto wrong = [&](const char* what) {
    return fail(Errc::invalid_argument, std::format("{}: {}", options.place, what));
  };
  if (parts.bucket.size() < 3 || parts.bucket.size() > 63 || !consists_of(parts.bucket, "-."))
    return wrong("want s3://BUCKET/PREFIX");
  if (!consists_of(parts.prefix, "-_./") || parts.prefix.starts_with('/') ||
      parts.prefix.find("..") != std::string::npos)
    return wrong("a prefix consists of letters, digits, - _ . and /");
  if (parts.region.empty() || !consists_of(parts.region, "-")) return wrong("a region is a word like eu-central-1");
  if (parts.endpoint.empty()) parts.endpoint = std::format("https://s3.{}.amazonaws.com", parts.region);
  while (parts.endpoint.ends_with('/')) parts.endpoint.pop_back();
  if ((!parts.endpoint.starts_with("https://") && !parts.endpoint.starts_with("http://")) ||
      parts.endpoint.find_first_of("@?# \t\r\n") != std::string::npos)
    return wrong("want an endpoint like https://HOST:PORT, without names and passwords");
  auto secret = find_secret("backup-s3", options.credentials);
  if (!secret) return std::unexpected(secret.error());
  if (!*secret)
    return fail(Errc::not_found,
                "no credentials for S3: give --s3-credentials FILE with ID:SECRET, RLTUNE_BACKUP_S3 or the systemd "
                "credential rltune-backup-s3");
  const std::size_t colon = (*secret)->find(':');
  if (colon == 0 || colon == std::string::npos || colon + 1 == (*secret)->size() ||
      (*secret)->find_first_of(" \r\n") != std::string::npos)
    return fail(Errc::parse, "the credentials for S3 are not of the form ID:SECRET");
  parts.credentials = **secret;
  return std::make_unique<S3Bucket>(std::move(parts));
}

}  // namespace rltune::backup
