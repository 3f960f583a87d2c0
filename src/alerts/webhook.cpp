// POST of the notice as JSON. Where the channel has a key, X-RLTune-Signature is "sha256=" and the HMAC-SHA256 of the
// body in hexadecimal.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <format>

#include "channels.hpp"

namespace rltune::alerts {
namespace {

std::string signature(const std::string& key, const std::string& body) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(body.data()),
       body.size(), digest, &length);
  std::string text = "sha256=";
  for (unsigned int i = 0; i < length; ++i) text += std::format("{:02x}", digest[i]);
  return text;
}

class Webhook final : public Channel {
 public:
  Webhook(const config::Channel& channel, const ChannelOptions& options)
      : channel_(channel), options_(options), client_(make_client(channel, options)) {}

  Result<> tell(const Notice& notice) override {
    http::Request request{
        .url = channel_.url, .headers = {{"Content-Type", "application/json"}}, .body = to_json(notice)};
    if (!channel_.signing_key_file.empty() || !channel_.signing_key_env.empty()) {
      const auto key =
          secret_of(channel_.name, "signing key", options_, channel_.signing_key_file, channel_.signing_key_env);
      if (!key) return std::unexpected(key.error());
      request.headers.push_back({"X-RLTune-Signature", signature(*key, request.body)});
    }
    return judged(client_.send(request));
  }
  void cancel() noexcept override { client_.cancel(); }

 private:
  config::Channel channel_;
  ChannelOptions options_;
  http::Client client_;
};

}  // namespace

std::unique_ptr<Channel> make_webhook(const config::Channel& channel, const ChannelOptions& options) {
  return std::make_unique<Webhook>(channel, options);
}

}  // namespace rltune::alerts
