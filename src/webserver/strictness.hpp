// What a request's head must be before anything acts on it. The framing of a message has to be read alike by every
// machine on its way, or a second request can be hidden in it (RFC 9112, 11.2): what could be read in two ways is
// refused, where the standard lets a server choose as well.
#pragma once

#include <expected>
#include <optional>
#include <string_view>

namespace rltune::webserver {

constexpr std::size_t kHeadBytesMax = std::size_t{16} << 10U;
constexpr std::size_t kRequestLineBytesMax = 8'000;  // RFC 9112, 3, asks for that much at least
constexpr std::size_t kFieldsMax = 100;
constexpr std::size_t kChunkExtensionBytesMax = 256;

struct Fault {
  int status;
  std::string_view why;  // for who sent it; lives for ever
};

// How many bytes the head has, its empty line with it; 0: more must come. The bytes before `checked` were here in a
// call before and had no fault.
std::expected<std::size_t, Fault> head_size(std::string_view bytes, std::size_t checked = 0);

// Of a whole head as head_size() measured it.
std::optional<Fault> fault_of(std::string_view head);

// Of the target in a request line, and the Host beside it where there is one.
std::optional<Fault> fault_of_target(std::string_view method, std::string_view target, std::string_view host);

// Whether it can be the value of Host: "plant", "10.0.0.1:8300", "[::1]:80".
bool is_host(std::string_view text);

// A chunk's extensions (RFC 9112, 7.1.1), which nobody here reads.
std::optional<Fault> fault_of_chunk_extension(std::string_view text);

}  // namespace rltune::webserver
