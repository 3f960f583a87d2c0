#include "s3_listing.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace rltune::backup {
namespace {

constexpr std::size_t kReasonMax = 200;
constexpr std::size_t kKeyMax = 1024;  // S3's own bound

// The text between <name> and </name>, and what follows. These answers have no attributes inside, and no element of
// ours within one of the same name.
std::optional<std::string_view> take(std::string_view& xml, std::string_view name) {
  const std::string open = "<" + std::string(name) + ">", close = "</" + std::string(name) + ">";
  const std::size_t begin = xml.find(open);
  if (begin == std::string_view::npos) return std::nullopt;
  const std::size_t from = begin + open.size(), end = xml.find(close, from);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view text = xml.substr(from, end - from);
  xml.remove_prefix(end + close.size());
  return text;
}

std::optional<std::string_view> find(std::string_view xml, std::string_view name) { return take(xml, name); }

std::string unescaped(std::string_view text) {
  constexpr std::pair<std::string_view, char> kEntities[] = {
      {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
  std::string plain;
  while (!text.empty()) {
    const auto* entity = std::ranges::find_if(kEntities, [&](const auto& one) { return text.starts_with(one.first); });
    const bool found = entity != std::end(kEntities);
    plain += found ? entity->second : text.front();
    text.remove_prefix(found ? entity->first.size() : 1);
  }
  return plain;
}

}  // namespace

Result<S3Listing> parse_listing(std::string_view xml) {
  if (xml.find("<ListBucketResult") == std::string_view::npos)
    return fail(Errc::parse, "the server's answer is no list of objects; is it an S3 server?");
  S3Listing listing;
  const auto truncated = find(xml, "IsTruncated"), token = find(xml, "NextContinuationToken");
  if (truncated == "true") {
    if (!token || token->empty()) return fail(Errc::parse, "the server's list goes on and does not say where");
    listing.next = unescaped(*token);
  }
  while (const auto object = take(xml, "Contents")) {
    const auto key = find(*object, "Key"), size = find(*object, "Size");
    S3Listing::Object one;
    if (!key || !size || key->size() > kKeyMax)
      return fail(Errc::parse, "the server's list has an object without name");
    one.key = unescaped(*key);
    const auto [end, code] = std::from_chars(size->data(), size->data() + size->size(), one.bytes);
    if (code != std::errc{} || end != size->data() + size->size())
      return fail(Errc::parse, "the server's list has an object without size");
    listing.objects.push_back(std::move(one));
  }
  return listing;
}

std::string reason_of(std::string_view xml) {
  const auto error = find(xml, "Error");
  if (!error) return {};
  std::string reason = unescaped(find(*error, "Code").value_or(""));
  if (const auto message = find(*error, "Message")) reason += ": " + unescaped(*message);
  reason.resize(std::min(reason.size(), kReasonMax));
  for (char& c : reason)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = ' ';
  return reason;
}

}  // namespace rltune::backup
