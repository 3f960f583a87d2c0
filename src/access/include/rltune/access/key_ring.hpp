// The keys that sign tokens: Ed25519, kept in one file (0600) that nobody else can read, written whole or not at all.
//
// There is always a next key, published before it signs anything: whoever checks signatures knows it by then, so that a
// rotation, also one on demand, makes nobody's token wrong. The key before goes on verifying until the last token that
// it signed has ended.
// Threads: any.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/clock.hpp"
#include "rltune/base/error.hpp"

namespace rltune::access {

struct KeyRingOptions {
  std::filesystem::path file;
  Duration rotate_every = std::chrono::hours(30 * 24);
  Duration verify_for = std::chrono::hours(2);  // after it signed last: longer than any token lives
};

enum class KeyState : std::uint8_t { next, signing, verifying };

struct KeyInfo {
  std::string id;  // RFC 7638: the thumbprint of the public key
  KeyState state = KeyState::next;
  TimePoint made{};
  TimePoint until{};  // signing: when it is rotated; verifying: when it is forgotten
};

class KeyRing {
 public:
  // Makes the keys where there is no file. Errors: io; corrupt: the file is not one of ours; denied: others can read
  // it.
  static Result<std::unique_ptr<KeyRing>> open(KeyRingOptions options, const Clock& clock);
  ~KeyRing();
  KeyRing(const KeyRing&) = delete;
  KeyRing& operator=(const KeyRing&) = delete;

  // What is due: a rotation, and the end of keys. True: something changed. Errors: io, and all stays as it was.
  Result<bool> turn();
  Result<> rotate();
  // A key that others may have got: it neither signs nor verifies from now on. Errors: not_found; io.
  Result<> revoke(std::string_view id);

  std::vector<KeyInfo> keys() const;
  // {"keys":[{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":...,"x":...}]} (RFC 7517, RFC 8037)
  std::string jwks() const;

  // Of the key that signs now. A token names its key, so the message is made for its id.
  using MessageOf = std::function<std::string(const std::string& key_id)>;
  struct Signed {
    std::string message, signature;  // 64 bytes
  };
  Signed sign(const MessageOf& message_of) const;
  // How often a key was revoked or forgotten: what it has signed is to be verified anew.
  std::uint64_t losses() const noexcept;
  // False also where the key is unknown, or no longer known.
  bool verify(std::string_view id, std::string_view message, std::string_view signature) const;

 private:
  struct State;
  explicit KeyRing(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rltune::access
