// malformed_requests.txt, one request after the other, against a server: in the clear, over TLS, and over TLS cut into
// many small records, as nothing may depend on how the bytes happen to come.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <iostream>
#include <map>
#include <regex>
#include <sstream>

#include "certificates.hpp"
#include "raw_connection.hpp"
#include "rltune/base/file.hpp"
#include "rltune/webserver/server.hpp"
#include "temporary_folder.hpp"

namespace rltune::webserver {
namespace {

struct Case {
  std::string name, outcome, status, bytes;
};

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

// The escapes that the file's first lines name.
std::string unescaped(std::string_view text) {
  static const std::map<char, char> kSigns{{'r', '\r'}, {'n', '\n'}, {'t', '\t'},
                                           {'0', '\0'}, {'s', ' '},  {'\\', '\\'}};
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
    } else if (const char kind = text[++i]; kind == 'x') {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else if (kind == '(') {
      const std::size_t star = text.find('*', i), end = text.find(')', star);
      const std::string part = unescaped(text.substr(i + 1, star - i - 1));
      for (int times = std::stoi(std::string(text.substr(star + 1, end - star - 1))); times > 0; --times) out += part;
      i = end;
    } else {
      out += kSigns.at(kind);
    }
  }
  return out;
}

std::string bytes_of(std::string text) {
  text = replaced(std::move(text), "<POST>", "POST /sink HTTP/1.1\\r\\nHost: a\\r\\n");
  text = replaced(std::move(text), "<GET>", "GET /page HTTP/1.1\\r\\nHost: a\\r\\n");
  return unescaped(replaced(std::move(text), "<HIDDEN>", "GET /hidden HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n"));
}

// By class, as in the file.
std::vector<std::pair<std::string, std::vector<Case>>> corpus() {
  const auto text = read_file(RLTUNE_SOURCE_DIR "/src/webserver/malformed_requests.txt");
  std::vector<std::pair<std::string, std::vector<Case>>> classes;
  std::istringstream lines(text.value_or(""));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with("@ ")) {
      classes.emplace_back(line.substr(2), std::vector<Case>());
      continue;
    }
    std::istringstream words(line);
    Case one;
    words >> one.name >> one.outcome >> std::ws;
    std::getline(words, one.bytes);
    one.bytes = bytes_of(one.bytes);
    if (const std::size_t equals = one.outcome.find('='); equals != std::string::npos) {
      one.status = one.outcome.substr(equals + 1);
      one.outcome.resize(equals);
    }
    classes.back().second.push_back(std::move(one));
  }
  return classes;
}

enum class Way { plain, tls, tls_in_pieces };

class Malformed : public ::testing::TestWithParam<Way> {
 protected:
  static void SetUpTestSuite() {
    folder_.emplace();
    ASSERT_TRUE(rltune::testing::make_certificates(folder_->path()));
  }
  static void TearDownTestSuite() { folder_.reset(); }
  void SetUp() override {
    const auto counting = [](std::atomic<int>& count) {
      return [&count](const Request&, const Reply& reply) {
        ++count;
        reply({.body = "{}"});
      };
    };
    const auto sink = [](const Request& request, const Reply& reply) {
      const bool forged = request.headers.contains("x-forbidden") || request.headers.contains("authorization");
      reply({.status = forged ? 500 : 200, .body = "{}"});
    };
    const auto page = [](const Request&, const Reply& reply) { reply({.body = "{}"}); };
    const auto live = [](const Request&, const std::shared_ptr<Socket>&) { return SocketEvents(); };
    Options options{.body_bytes_max = 100'000};
    if (GetParam() != Way::plain) {
      options.certificate_file = folder_->path() / "server.pem";
      options.key_file = folder_->path() / "server.key";
    }
    auto server = Server::start(options,
                                {{"POST", "/sink", sink},
                                 {"GET", "/page", page},
                                 {"GET", "/things/{}", page},
                                 {"GET", "/marker", counting(marked_)},
                                 {"GET", "/hidden", counting(hidden_)}},
                                {{"/live", live}});
    ASSERT_TRUE(server) << server.error().message;
    server_.emplace(std::move(*server));
  }

  RawAnswer send(const std::string& bytes) const {
    constexpr std::size_t kRecordMax = 16'384;
    if (GetParam() == Way::plain) return send_plain(server_->port(), bytes);
    const bool whole = GetParam() == Way::tls;
    return send_over_tls(server_->port(), bytes, whole ? kRecordMax : std::max<std::size_t>(3, bytes.size() / 100));
  }
  // The statuses that came back until the connection's end.
  std::vector<std::string> sent(const std::string& bytes) const {
    const auto [text, closed] = send(bytes);
    EXPECT_TRUE(closed) << "it was not closed";
    static const std::regex kStatus("HTTP/1\\.1 ([0-9]{3}) ");
    std::vector<std::string> statuses;
    for (std::sregex_iterator at(text.begin(), text.end(), kStatus), end; at != end; ++at)
      statuses.push_back(at->str(1));
    return statuses;
  }

  void expect(const Case& one) {
    marked_ = hidden_ = 0;
    const auto statuses = sent(one.bytes + "GET /marker HTTP/1.1\r\nHost: a\r\nX-Marker: yes\r\n\r\n");
    const auto seen = ::testing::PrintToString(statuses);
    EXPECT_EQ(hidden_, 0) << "a request inside a body was served " << seen;
    // What comes behind an upgrade is frames, and no request, once it is too late to refuse the upgrade for it.
    if (GetParam() == Way::tls_in_pieces && one.outcome == "answered" && statuses == std::vector<std::string>{"101"}) {
      EXPECT_EQ(marked_, 0) << seen;
      return;
    }
    EXPECT_EQ(marked_, one.outcome == "refused" ? 0 : 1) << seen;
    const std::string status = statuses.empty() ? "" : one.outcome == "refused" ? statuses.back() : statuses.front();
    if (!one.status.empty()) {
      EXPECT_EQ(status, one.status) << seen;
    }
    if (!status.empty()) {
      EXPECT_EQ(status < "400", one.outcome == "served") << seen;
    }
    EXPECT_THAT(sent("GET /page HTTP/1.1\r\nHost: a\r\n\r\n"), ::testing::ElementsAre("200")) << "it no longer serves";
  }

  static inline std::optional<TemporaryFolder> folder_;
  std::atomic<int> marked_ = 0, hidden_ = 0;
  std::optional<Server> server_;
};

TEST_P(Malformed, requests_are_refused_or_framed_in_one_way_only) {
  std::map<std::string, int> outcomes;
  std::size_t all = 0;
  for (const auto& [kind, cases] : corpus()) {
    for (const Case& one : cases) {
      const ::testing::ScopedTrace where(__FILE__, __LINE__, kind + ": " + one.name);
      ASSERT_THAT(one.outcome, ::testing::AnyOf("refused", "answered", "served"));
      expect(one);
      ++outcomes[one.outcome];
    }
    std::cout << cases.size() << " of " << kind << '\n';
    all += cases.size();
  }
  std::cout << all << " requests: " << outcomes["refused"] << " refused, " << outcomes["answered"] << " answered, "
            << outcomes["served"] << " served\n";
  EXPECT_GE(all, 300);
}

INSTANTIATE_TEST_SUITE_P(
    Ways, Malformed, ::testing::Values(Way::plain, Way::tls, Way::tls_in_pieces), [](const auto& way) {
      return std::string(way.param == Way::plain ? "plain" : way.param == Way::tls ? "tls" : "tls_in_pieces");
    });

}  // namespace
}  // namespace rltune::webserver
