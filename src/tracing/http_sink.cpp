#include <algorithm>
#include <array>
#include <format>

#include "otlp.hpp"
#include "rltune/http/client.hpp"

namespace rltune::tracing {
namespace {

using Response = opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse;

// What the specification of OTLP says to try again; any other refusal is one for good.
constexpr std::array kAgainLater{429L, 502L, 503L, 504L};

class HttpSink final : public Sink {
 public:
  HttpSink(std::string url, Origin origin)
      : url_(std::move(url)), origin_(std::move(origin)), client_({.answer_bytes_max = 64UZ << 10U}) {}

  void give_up() noexcept override { client_.cancel(); }

  Result<> send(std::span<const trace::Record> spans, Duration timeout) override {
    const auto answer = client_.send({.url = url_,
                                      .headers = {{"Content-Type", "application/x-protobuf"}},
                                      .body = to_otlp(origin_, spans).SerializeAsString(),
                                      .timeout = timeout});
    // A URL that no request can go to is no refusal: it is corrected in the file, and what waits goes then.
    if (!answer && answer.error().code == Errc::invalid_argument) return fail(Errc::io, answer.error().message);
    if (!answer) return std::unexpected(answer.error());
    if (answer->status >= 200 && answer->status < 300) return taken(answer->body);
    const bool later = std::ranges::find(kAgainLater, answer->status) != kAgainLater.end();
    return fail(later ? Errc::disconnected : Errc::invalid_argument,
                std::format("{} answers with status {}", url_, answer->status));
  }

 private:
  // Even then some may have been refused; an answer that cannot be read says nothing of the kind.
  Result<> taken(const std::string& answer) const {
    Response response;
    if (response.ParseFromString(answer) && response.partial_success().rejected_spans() > 0)
      return fail(Errc::invalid_argument,
                  std::format("{} refused {} spans: {}", url_, response.partial_success().rejected_spans(),
                              response.partial_success().error_message()));
    return {};
  }

  std::string url_;
  Origin origin_;
  http::Client client_;
};

}  // namespace

std::unique_ptr<Sink> make_http_sink(const std::string& url, const Origin& origin) {
  return std::make_unique<HttpSink>(url, origin);
}

}  // namespace rltune::tracing
