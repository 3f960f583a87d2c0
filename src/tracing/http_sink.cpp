#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <format>
#include <vector>

#include "otlp.hpp"
#include "rltune/base/check.hpp"

namespace rltune::tracing {
namespace {

using Response = opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse;

constexpr std::size_t kAnswerBytesMax = 64 * 1024;
// What the specification of OTLP says to try again; any other refusal is one for good.
constexpr std::array kAgainLater{429L, 502L, 503L, 504L};

std::size_t take_answer(const char* bytes, std::size_t size, std::size_t count, void* to) {
  std::string& answer = *static_cast<std::string*>(to);
  answer.append(bytes, std::min(size * count, kAnswerBytesMax - answer.size()));
  return size * count;
}

int ask_whether_to_go_on(void* giving_up, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(giving_up)->load() ? 1 : 0;
}

bool on_this_host(const std::string& url) {
  return std::ranges::any_of(std::array{"//127.", "//localhost", "//[::1]"},
                             [&](const char* host) { return url.find(host) != std::string::npos; });
}

class HttpSink final : public Sink {
 public:
  HttpSink(std::string url, Origin origin, const std::atomic<bool>& giving_up)
      : url_(std::move(url)), origin_(std::move(origin)) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    curl_ = curl_easy_init();
    RLTUNE_CHECK(curl_ != nullptr);
    headers_ = curl_slist_append(nullptr, "Content-Type: application/x-protobuf");
    set(CURLOPT_URL, url_.c_str());
    set(CURLOPT_HTTPHEADER, headers_);
    set(CURLOPT_USERAGENT, "rltune/" RLTUNE_VERSION);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_WRITEFUNCTION, &take_answer);
    set(CURLOPT_WRITEDATA, &answer_);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &ask_whether_to_go_on);
    set(CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(&giving_up));
    if (on_this_host(url_)) set(CURLOPT_PROXY, "");
  }
  ~HttpSink() override {
    curl_easy_cleanup(curl_);
    curl_slist_free_all(headers_);
    curl_global_cleanup();
  }
  HttpSink(const HttpSink&) = delete;
  HttpSink& operator=(const HttpSink&) = delete;

  Result<> send(std::span<const trace::Record> spans, Duration timeout) override {
    const std::string body = to_otlp(origin_, spans).SerializeAsString();
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    set(CURLOPT_POSTFIELDS, body.data());
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(timeout / std::chrono::milliseconds(1)));
    answer_.clear();
    if (const CURLcode code = curl_easy_perform(curl_); code != CURLE_OK)
      return fail(code == CURLE_OPERATION_TIMEDOUT ? Errc::timeout : Errc::disconnected,
                  std::format("{}: {}", url_, curl_easy_strerror(code)));
    long status = 0;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) return taken();
    const bool later = std::ranges::find(kAgainLater, status) != kAgainLater.end();
    return fail(later ? Errc::disconnected : Errc::invalid_argument,
                std::format("{} answers with status {}", url_, status));
  }

 private:
  template <typename Value>
  void set(CURLoption option, Value value) noexcept {
    curl_easy_setopt(curl_, option, value);
  }
  // Even then some may have been refused; an answer that cannot be read says nothing of the kind.
  Result<> taken() const {
    Response response;
    if (response.ParseFromString(answer_) && response.partial_success().rejected_spans() > 0)
      return fail(Errc::invalid_argument,
                  std::format("{} refused {} spans: {}", url_, response.partial_success().rejected_spans(),
                              response.partial_success().error_message()));
    return {};
  }

  std::string url_;
  Origin origin_;
  CURL* curl_ = nullptr;
  curl_slist* headers_ = nullptr;
  std::string answer_;
};

}  // namespace

std::unique_ptr<Sink> make_http_sink(const std::string& url, const Origin& origin, const std::atomic<bool>& giving_up) {
  return std::make_unique<HttpSink>(url, origin, giving_up);
}

}  // namespace rltune::tracing
