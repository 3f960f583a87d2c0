#include "rltune/http/client.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <format>

#include "rltune/base/check.hpp"

namespace rltune::http {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
struct FreeText {
  void operator()(char* text) const noexcept { curl_free(text); }
};
struct FreeList {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
struct FreeEasy {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};
struct FreeMulti {
  void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

// The host and the port of a URL, which is all that an error says of it.
struct Place {
  std::string host, port;
  std::string text() const { return host + ":" + port; }
  bool on_this_host() const {
    return host == "localhost" || host == "[::1]" || host.starts_with("127.") || host.ends_with(".localhost");
  }
};

Result<Place> place_of(const std::string& url) {
  const std::unique_ptr<CURLU, FreeUrl> parts(curl_url());
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    curl_url_get(parts.get(), which, &text, CURLU_DEFAULT_PORT);
    const std::unique_ptr<char, FreeText> owned(text);
    return std::string(text == nullptr ? "" : text);
  };
  const bool valid = curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), 0) == CURLUE_OK;
  if (!valid || (part(CURLUPART_SCHEME) != "http" && part(CURLUPART_SCHEME) != "https"))
    return fail(Errc::invalid_argument, "a URL like https://host/path is expected");
  return Place{part(CURLUPART_HOST), part(CURLUPART_PORT)};
}

// What a request under way has received.
struct Answer {
  Response response;
  std::size_t bytes_max = 0;
  bool too_long = false;
};

std::size_t take_body(const char* bytes, std::size_t size, std::size_t count, void* to) {
  Answer& answer = *static_cast<Answer*>(to);
  answer.too_long = answer.response.body.size() + size * count > answer.bytes_max;
  if (answer.too_long) return 0;
  answer.response.body.append(bytes, size * count);
  return size * count;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string_view::npos ? "" : text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

std::size_t take_header(const char* bytes, std::size_t size, std::size_t count, void* to) {
  Answer& answer = *static_cast<Answer*>(to);
  const std::string_view line(bytes, size * count);
  // A status line begins a new head: what came before it was one in between ("100 Continue").
  if (line.starts_with("HTTP/")) answer.response.headers.clear();
  if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
    std::string name(line.substr(0, colon));
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    answer.response.headers[name] = trimmed(line.substr(colon + 1));
  }
  return size * count;
}

Errc errc_of(CURLcode code, std::string_view detail) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return Errc::timeout;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return Errc::denied;
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_URL_MALFORMAT:
      return Errc::invalid_argument;
    default:
      // A server of TLS 1.3 says after the handshake that it does not take our certificate.
      return detail.contains("alert") && (detail.contains("certificate") || detail.contains("unknown ca"))
                 ? Errc::denied
                 : Errc::disconnected;
  }
}

}  // namespace

struct Client::State {
  explicit State(ClientOptions given) : options(std::move(given)) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi.reset(curl_multi_init());
    easy.reset(curl_easy_init());
    RLTUNE_CHECK(multi && easy);
  }
  ~State() {
    easy.reset();
    multi.reset();
    curl_global_cleanup();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  template <typename Value>
  void set(CURLoption option, Value value) noexcept {
    curl_easy_setopt(easy.get(), option, value);
  }

  void set_limits(const Place& place, Duration timeout) {
    set(CURLOPT_USERAGENT, "rltune/" RLTUNE_VERSION);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout / std::chrono::milliseconds(1)));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(timeout / std::chrono::milliseconds(1)));
    if (place.on_this_host()) set(CURLOPT_PROXY, "");
  }

  void set_certificates() {
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!options.ca_file.empty()) {
      set(CURLOPT_CAINFO, options.ca_file.c_str());
      set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // this one alone, not the host's as well
    }
    if (!options.certificate_file.empty()) set(CURLOPT_SSLCERT, options.certificate_file.c_str());
    if (!options.key_file.empty()) set(CURLOPT_SSLKEY, options.key_file.c_str());
  }

  HeaderList set_request(const Request& request) {
    set(CURLOPT_URL, request.url.c_str());
    if (request.method == "GET" && request.body.empty()) {
      set(CURLOPT_HTTPGET, 1L);
    } else if (request.method == "HEAD") {
      set(CURLOPT_NOBODY, 1L);
    } else {
      set(CURLOPT_POST, 1L);
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      set(CURLOPT_POSTFIELDS, request.body.data());
      if (request.method != "POST") set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
    // Without it libcurl waits up to a second for a server's "100 Continue" before a large body.
    curl_slist* list = curl_slist_append(nullptr, "Expect:");
    for (const Header& header : request.headers)
      list = curl_slist_append(list, (header.name + ": " + header.value).c_str());
    set(CURLOPT_HTTPHEADER, list);
    return HeaderList(list);
  }

  // Until the request has ended, or cancel() was called.
  CURLcode perform() {
    curl_multi_add_handle(multi.get(), easy.get());
    CURLcode code = CURLE_ABORTED_BY_CALLBACK;
    for (int running = 1; running > 0 && !cancelled;) {
      if (curl_multi_perform(multi.get(), &running) != CURLM_OK) break;
      if (running > 0) curl_multi_poll(multi.get(), nullptr, 0, 1000, nullptr);
    }
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left))
      if (message->msg == CURLMSG_DONE) code = message->data.result;
    curl_multi_remove_handle(multi.get(), easy.get());
    return code;
  }

  std::unexpected<Error> failure(CURLcode code, const Place& place, const Answer& answer) const {
    if (cancelled) return fail(Errc::disconnected, std::format("{}: the request was cancelled", place.text()));
    if (answer.too_long)
      return fail(Errc::disconnected,
                  std::format("{}: the answer is longer than {} bytes", place.text(), answer.bytes_max));
    const std::string_view detail = trimmed(what.data());
    return fail(errc_of(code, detail),
                std::format("{}: {}", place.text(), detail.empty() ? curl_easy_strerror(code) : detail));
  }

  Result<Response> send(const Request& request) {
    const auto place = place_of(request.url);
    if (!place) return std::unexpected(place.error());
    curl_easy_reset(easy.get());  // connections stay, the multi handle has them
    Answer answer{.response = {}, .bytes_max = options.answer_bytes_max};
    what[0] = '\0';
    set_limits(*place, request.timeout > Duration::zero() ? request.timeout : options.timeout);
    set_certificates();
    set(CURLOPT_ERRORBUFFER, what.data());
    set(CURLOPT_WRITEFUNCTION, &take_body);
    set(CURLOPT_WRITEDATA, &answer);
    set(CURLOPT_HEADERFUNCTION, &take_header);
    set(CURLOPT_HEADERDATA, &answer);
    const HeaderList headers = set_request(request);
    if (const CURLcode code = perform(); code != CURLE_OK) return failure(code, *place, answer);
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &answer.response.status);
    return std::move(answer.response);
  }

  const ClientOptions options;
  std::unique_ptr<CURLM, FreeMulti> multi;
  std::unique_ptr<CURL, FreeEasy> easy;
  std::array<char, CURL_ERROR_SIZE> what{};
  std::atomic<bool> cancelled = false;
};

Client::Client(ClientOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Response> Client::send(const Request& request) { return state_->send(request); }

void Client::cancel() noexcept {
  state_->cancelled = true;
  curl_multi_wakeup(state_->multi.get());
}

}  // namespace rltune::http
