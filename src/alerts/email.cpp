// E-mail by SMTP: TLS from the start (smtps://) or STARTTLS before anything is said (smtp://). The messages of one
// alert are one thread: each later one is a reply to the first (RFC 5322, 3.6.4).
#include <curl/curl.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <format>

#include "channels.hpp"
#include "rltune/base/check.hpp"

namespace rltune::alerts {
namespace {

struct FreeEasy {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
struct FreeMime {
  void operator()(curl_mime* mime) const noexcept { curl_mime_free(mime); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

constexpr std::size_t kSubjectMax = 200, kWordMax = 45;  // bytes; an encoded word has 75 characters at most

void append(List& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  RLTUNE_CHECK(longer != nullptr);
  (void)list.release();
  list.reset(longer);
}

// The end of the character that begins before `end`, at or before it.
std::size_t whole(std::string_view text, std::size_t end) {
  if (end >= text.size()) return text.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return end;
}

// As a header holds it (RFC 2047): one line, and nothing in it that ends one.
std::string header_text(std::string text) {
  std::ranges::replace_if(text, [](unsigned char c) { return c < ' ' || c == 0x7F; }, ' ');
  text.resize(whole(text, kSubjectMax));
  if (std::ranges::none_of(text, [](unsigned char c) { return c > '~'; })) return text;
  std::string words;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t length = std::max<std::size_t>(1, whole(rest, kWordMax));
    std::array<unsigned char, 4 * kWordMax> encoded{};
    const int size =
        EVP_EncodeBlock(encoded.data(), reinterpret_cast<const unsigned char*>(rest.data()), static_cast<int>(length));
    words +=
        std::format("{}=?UTF-8?B?{}?=", words.empty() ? "" : "\r\n ",
                    std::string_view(reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(size)));
    rest.remove_prefix(length);
  }
  return words;
}

// What may stand in a Message-ID.
std::string atom(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return std::isalnum(c) == 0 && c != '.' && c != '-' && c != '_'; }, '_');
  return text;
}

int whether_cancelled(void* cancelled, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(cancelled)->load() ? 1 : 0;
}

class Email final : public Channel {
 public:
  Email(const config::Channel& channel, const ChannelOptions& options)
      : channel_(channel), options_(options), easy_(curl_easy_init()) {
    RLTUNE_CHECK(easy_ != nullptr);
    from_ = !channel.from.empty()        ? channel.from
            : channel.user.contains('@') ? channel.user
            : channel.to.empty()         ? "rltune@localhost"
                                         : channel.to.front();
  }

  Result<> tell(const Notice& notice) override {
    curl_easy_reset(easy_.get());
    std::string password;
    if (!channel_.user.empty()) {
      auto found = secret_of(channel_.name, "password", options_, channel_.password_file, channel_.password_env);
      if (!found) return std::unexpected(found.error());
      password = std::move(*found);
    }
    connect(password);
    List recipients, headers = headers_of(notice);
    for (const std::string& address : channel_.to) append(recipients, "<" + address + ">");
    const std::unique_ptr<curl_mime, FreeMime> mime(curl_mime_init(easy_.get()));
    curl_mimepart* part = curl_mime_addpart(mime.get());
    const std::string text = text_of(notice);
    curl_mime_data(part, text.data(), text.size());
    curl_mime_type(part, "text/plain; charset=utf-8");
    curl_mime_encoder(part, "quoted-printable");
    const std::string sender = "<" + from_ + ">";
    set(CURLOPT_MAIL_FROM, sender.c_str());
    set(CURLOPT_MAIL_RCPT, recipients.get());
    set(CURLOPT_HTTPHEADER, headers.get());
    set(CURLOPT_MIMEPOST, mime.get());
    const CURLcode code = curl_easy_perform(easy_.get());
    if (code == CURLE_OK) return {};
    return std::unexpected(error_of(code));
  }
  void cancel() noexcept override { cancelled_ = true; }

 private:
  template <typename Value>
  void set(CURLoption option, Value value) noexcept {
    curl_easy_setopt(easy_.get(), option, value);
  }

  void connect(const std::string& password) {
    set(CURLOPT_URL, channel_.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));  // never in the clear
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROXY, "");
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout / std::chrono::milliseconds(1)));
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &whether_cancelled);
    set(CURLOPT_XFERINFODATA, &cancelled_);
    const std::string authority = channel_.ca_file.empty() ? "" : (options_.folder / channel_.ca_file).string();
    if (!authority.empty()) set(CURLOPT_CAINFO, authority.c_str());
    if (channel_.user.empty()) return;
    set(CURLOPT_USERNAME, channel_.user.c_str());
    set(CURLOPT_PASSWORD, password.c_str());
  }

  List headers_of(const Notice& notice) const {
    const std::string domain = atom(from_.substr(from_.find('@') + 1));
    const std::string first = std::format("<{}@{}>", atom(notice.key), domain);
    std::string to;
    for (const std::string& address : channel_.to) to += (to.empty() ? "" : ", ") + address;
    List headers;
    append(headers, "From: RLTune <" + from_ + ">");
    append(headers, "To: " + to);
    append(headers,
           std::format("Date: {:%a, %d %b %Y %H:%M:%S} +0000", std::chrono::floor<std::chrono::seconds>(notice.at)));
    append(headers, "Subject: " + header_text(title_of(notice)));
    const bool begins = notice.kind == NoticeKind::firing || notice.kind == NoticeKind::test;
    append(headers, begins ? "Message-ID: " + first
                           : std::format("Message-ID: <{}.{}@{}>", atom(notice.key), notice.number, domain));
    if (!begins) append(headers, "In-Reply-To: " + first), append(headers, "References: " + first);
    append(headers, "Auto-Submitted: auto-generated");
    append(headers, "MIME-Version: 1.0");
    return headers;
  }

  Error error_of(CURLcode code) {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    const std::string what =
        std::format("{}{}", curl_easy_strerror(code), status == 0 ? "" : std::format(" ({})", status));
    if (code == CURLE_OPERATION_TIMEDOUT) return {Errc::timeout, what};
    if (code == CURLE_LOGIN_DENIED || code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
        code == CURLE_USE_SSL_FAILED)
      return {Errc::denied, what};
    return {status >= 500 ? Errc::mismatch : Errc::disconnected, what};  // RFC 5321: 5yz is for good
  }

  config::Channel channel_;
  ChannelOptions options_;
  std::unique_ptr<CURL, FreeEasy> easy_;
  std::string from_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace

std::unique_ptr<Channel> make_email(const config::Channel& channel, const ChannelOptions& options) {
  return std::make_unique<Email>(channel, options);
}

}  // namespace rltune::alerts
