#include "strictness.hpp"

#include <algorithm>
#include <string>

#include "lower.hpp"

namespace rltune::webserver {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::size_t kMethodBytesMax = 32;
constexpr std::size_t kLengthDigitsMax = 18;

bool is_digit(char one) { return one >= '0' && one <= '9'; }
bool is_letter(char one) { return (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z'); }
bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char one) {
    return is_digit(one) || is_letter(one) || std::string_view("!#$%&'*+-.^_`|~").contains(one);
  });
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Takes the text up to the mark away, and the mark; all of it where there is none.
std::string_view take(std::string_view& text, std::string_view mark) {
  const std::string_view part = text.substr(0, text.find(mark));
  text.remove_prefix(std::min(part.size() + mark.size(), text.size()));
  return part;
}

// What the fields say of the message as a whole.
struct Head {
  std::string_view method, target;
  bool newer = false;  // HTTP/1.1; otherwise 1.0
  std::size_t hosts = 0, lengths = 0, encodings = 0;
  std::string_view host, length, encoding;
};

std::optional<Fault> take_request_line(std::string_view line, Head& head) {
  if (line.size() > kRequestLineBytesMax) return Fault{414, "the request line is too long"};
  head.method = take(line, " ");
  head.target = take(line, " ");
  if (!is_token(head.method)) return Fault{400, "the request line does not begin with a method and one space"};
  if (head.method.size() > kMethodBytesMax) return Fault{501, "nobody knows this method"};
  if (!line.starts_with("HTTP/")) return Fault{400, "the request line is not: method, target, HTTP version"};
  head.newer = line == "HTTP/1.1";
  if (!head.newer && line != "HTTP/1.0") return Fault{505, "HTTP/1.1 is spoken here"};
  return std::nullopt;
}

// The fields that every machine on the way has to see must not be called the business of one hop.
std::optional<Fault> fault_of_connection(std::string_view value) {
  while (!value.empty()) {
    const std::string option = lower(trimmed(take(value, ",")));
    if (option == "content-length" || option == "transfer-encoding" || option == "host")
      return Fault{400, "Connection must not name what frames the message"};
  }
  return std::nullopt;
}

std::optional<Fault> take_field(std::string_view line, Head& head) {
  if (line.starts_with(' ') || line.starts_with('\t')) return Fault{400, "a field must not go on in a second line"};
  if (!line.contains(':')) return Fault{400, "a field has no colon"};
  const std::string_view named = take(line, ":");
  if (!is_token(named)) return Fault{400, "a field's name is no name, or a space stands before its colon"};
  const std::string name = lower(named);
  const std::string_view value = trimmed(line);
  if (name == "host") ++head.hosts, head.host = value;
  if (name == "content-length") ++head.lengths, head.length = value;
  if (name == "transfer-encoding") ++head.encodings, head.encoding = value;
  if (name == "expect" && lower(value) != "100-continue") return Fault{417, "only 100-continue can be expected"};
  return name == "connection" ? fault_of_connection(value) : std::nullopt;
}

// RFC 9112, 6.1 and 6.3.
std::optional<Fault> fault_of_framing(const Head& head) {
  if (head.lengths > 1) return Fault{400, "Content-Length stands there twice"};
  if (head.lengths == 1) {
    if (head.length.empty() || !std::ranges::all_of(head.length, is_digit))
      return Fault{400, "Content-Length is no number"};
    if (head.length.size() > kLengthDigitsMax) return Fault{413, "Content-Length is too large"};
  }
  if (head.encodings == 0) return std::nullopt;
  if (head.lengths > 0) return Fault{400, "Content-Length and Transfer-Encoding exclude each other"};
  if (!head.newer) return Fault{400, "HTTP/1.0 has no Transfer-Encoding"};
  if (head.encodings > 1) return Fault{400, "Transfer-Encoding stands there twice"};
  const std::string encoding = lower(head.encoding);
  if (encoding == "chunked") return std::nullopt;
  const bool known_end = encoding.ends_with(", chunked") || encoding.ends_with(",chunked");
  if (known_end) return Fault{501, "the only Transfer-Encoding taken here is chunked"};
  return Fault{400, "with this Transfer-Encoding the message has no known end"};
}

std::optional<Fault> fault_of_host(const Head& head) {
  if (head.hosts > 1 || (head.newer && head.hosts == 0)) return Fault{400, "it needs one Host"};
  if (head.hosts == 1 && !is_host(head.host)) return Fault{400, "Host is no name and port"};
  return fault_of_target(head.method, head.target, head.host);
}

// CR and LF only as a line's end, tabs, what can be seen, and what is beyond ASCII.
bool is_sound(char before, char one) {
  if (one == '\n') return before == '\r';
  if (before == '\r') return false;
  return one == '\r' || one == '\t' || (static_cast<unsigned char>(one) >= ' ' && one != '\x7f');
}

}  // namespace

std::expected<std::size_t, Fault> head_size(std::string_view bytes, std::size_t checked) {
  if (bytes.starts_with(kLineEnd)) return std::unexpected(Fault{400, "an empty line stands where a request begins"});
  const std::size_t end = bytes.find("\r\n\r\n", checked - std::min<std::size_t>(checked, 3));
  const std::size_t size = end == std::string_view::npos ? bytes.size() : end + 4;
  for (std::size_t i = checked; i < std::min(size, kHeadBytesMax); ++i)
    if (!is_sound(i == 0 ? '\0' : bytes[i - 1], bytes[i]))
      return std::unexpected(Fault{400, "the head holds a control byte, or a line's end that is not CR and LF"});
  if (size > kHeadBytesMax) {
    const bool long_line = bytes.find(kLineEnd) > kRequestLineBytesMax;
    return std::unexpected(long_line ? Fault{414, "the request line is too long"}
                                     : Fault{431, "the head is too large"});
  }
  return end == std::string_view::npos ? 0 : size;
}

std::optional<Fault> fault_of(std::string_view head) {
  head.remove_suffix(kLineEnd.size());
  Head seen;
  if (auto fault = take_request_line(take(head, kLineEnd), seen)) return fault;
  for (std::size_t fields = 0; !head.empty(); ++fields) {
    if (fields == kFieldsMax) return Fault{431, "it has too many fields"};
    if (auto fault = take_field(take(head, kLineEnd), seen)) return fault;
  }
  if (auto fault = fault_of_framing(seen)) return fault;
  return fault_of_host(seen);
}

std::optional<Fault> fault_of_chunk_extension(std::string_view text) {
  if (text.size() > kChunkExtensionBytesMax) return Fault{400, "a chunk's extension is too long"};
  const auto seen = [](char one) { return one == '\t' || (one >= ' ' && one <= '~'); };
  if (!std::ranges::all_of(text, seen)) return Fault{400, "a chunk's extension holds a control byte"};
  return std::nullopt;
}

}  // namespace rltune::webserver
