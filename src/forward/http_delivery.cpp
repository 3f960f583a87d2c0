#include "http_delivery.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <format>

#include "rltune/forward/delivery.hpp"
#include "rltune/forward/gzip.hpp"
#include "sigv4.hpp"

namespace rltune::forward {
namespace {

std::string base64(const std::string& text) {
  std::string out((text.size() + 2) / 3 * 4, '\0');
  // It writes a zero behind the end, where a std::string has one.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()),
                  static_cast<int>(text.size()));
  return out;
}

std::filesystem::path beside(const std::filesystem::path& folder, const std::filesystem::path& file) {
  return file.empty() ? file : folder / file;
}

http::ClientOptions client_options(const config::Sink& sink, const std::filesystem::path& folder, Duration timeout) {
  return {.ca_file = beside(folder, sink.ca_file),
          .certificate_file = beside(folder, sink.certificate_file),
          .key_file = beside(folder, sink.key_file),
          .timeout = timeout,
          .answer_bytes_max = 8UZ << 20U};
}

class HttpDelivery final : public Delivery {
 public:
  HttpDelivery(const config::Sink& sink, std::unique_ptr<Encoding> encoding, std::filesystem::path folder,
               const Clock& clock, Duration timeout)
      : sink_(sink),
        encoding_(std::move(encoding)),
        folder_(std::move(folder)),
        clock_(clock),
        client_(client_options(sink, folder_, timeout)) {}

  void cancel() noexcept override { client_.cancel(); }

  Outcome deliver(const Batch& batch) override {
    Encoded encoded = encoding_->encode(batch);
    if (encoded.unfit.size() == batch.records.size()) return {.refused = std::move(encoded.unfit)};
    const std::string url = encoding_->url(sink_.url, batch.stream);
    std::string secret;
    if (sink_.authentication != "none") {
      auto found = secret_of(sink_, folder_);
      if (!found) return {.kind = Outcome::Kind::denied, .reason = found.error().message};
      secret = std::move(*found);
    }
    const auto response = client_.send(request_of(url, encoded, secret));
    if (!response) return failure(response.error());
    if (response->status < 200 || response->status >= 300)
      return judge_status(*response, host_of(url), shown(response->body, secret), clock_.now());
    Outcome outcome = encoding_->judge(batch, *response);
    outcome.refused.insert(outcome.refused.end(), encoded.unfit.begin(), encoded.unfit.end());
    return outcome;
  }

 private:
  http::Request request_of(const std::string& url, Encoded& encoded, const std::string& secret) const {
    http::Request request{.url = url, .headers = std::move(encoded.headers), .body = std::move(encoded.body)};
    request.headers.push_back({"Content-Type", encoded.content_type});
    if (encoded.may_compress && sink_.compress) {
      request.body = gzip(request.body);
      request.headers.push_back({"Content-Encoding", "gzip"});
    }
    authenticate(request, secret);
    return request;
  }

  void authenticate(http::Request& request, const std::string& secret) const {
    const std::string& how = sink_.authentication;
    if (how == "api_key") request.headers.push_back({sink_.api_key_header, secret});
    if (how == "bearer") request.headers.push_back({"Authorization", "Bearer " + secret});
    if (how == "basic") request.headers.push_back({"Authorization", "Basic " + base64(sink_.user + ":" + secret)});
    if (how != "sigv4") return;
    const TimePoint now = clock_.now();
    const std::vector<http::Header> signed_ones{{"host", host_of(request.url)}, {"x-amz-date", amazon_time(now)}};
    const AwsCredentials credentials{sink_.user, secret, sink_.region, sink_.service};
    request.headers.push_back({"X-Amz-Date", amazon_time(now)});
    request.headers.push_back(
        {"Authorization", sigv4_authorization("POST", request.url, signed_ones, request.body, credentials, now)});
  }

  // Certificates that do not fit, and files that cannot be read, wait for a person; all else for time.
  static Outcome failure(const Error& error) {
    const bool person = error.code == Errc::denied || error.code == Errc::invalid_argument;
    return {.kind = person ? Outcome::Kind::denied : Outcome::Kind::again, .reason = error.message};
  }

  // The beginning of a body, for a person; nothing where it gives the key back.
  static std::string shown(const std::string& body, const std::string& secret) {
    if (!secret.empty() && body.contains(secret)) return "";
    std::string text = body.substr(0, 300);
    std::ranges::replace_if(text, [](unsigned char c) { return c < ' ' || c >= 0x7f; }, ' ');
    return text;
  }

  const config::Sink sink_;
  const std::unique_ptr<Encoding> encoding_;
  const std::filesystem::path folder_;
  const Clock& clock_;
  http::Client client_;
};

}  // namespace

std::unique_ptr<Delivery> make_http_delivery(const config::Sink& sink, std::unique_ptr<Encoding> encoding,
                                             const std::filesystem::path& folder, const Clock& clock,
                                             Duration timeout) {
  return std::make_unique<HttpDelivery>(sink, std::move(encoding), folder, clock, timeout);
}

}  // namespace rltune::forward
