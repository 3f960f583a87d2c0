// What a provider, or who plays one, may send: none of it crashes, and no token that it did not sign is believed.
#include <cstdint>
#include <cstdlib>

#include "id_token.hpp"
#include "provider_documents.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune;
  using namespace rltune::gateway;
  // RFC 8037, appendix A.
  static const auto keys = read_key_set(R"({"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k",)"
                                        R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})")
                               .value();
  static const IdTokenExpected expected{.issuer = "https://a", .client_id = "b", .nonce = "c", .user_claim = "email"};
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const TimePoint now(std::chrono::seconds(1'800'000'000));
  switch (data[0] % 5) {
    case 0:
      if (const auto read = read_discovery(text, "https://a"); read && !read->token.starts_with("https://"))
        std::abort();
      break;
    case 1:
      if (const auto read = read_key_set(text))
        for (const Jwk& key : *read) (void)key.verify("message", text.substr(0, 64));
      break;
    case 2:
      (void)read_id_token(text);
      break;
    case 3:
      if (verify_id_token(text, keys, expected, now)) std::abort();
      break;
    default:
      if (const auto user = user_in_claims(text, expected, now); user && user->empty()) std::abort();
  }
  return 0;
}
