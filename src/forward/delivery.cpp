#include "rltune/forward/delivery.hpp"

#include <algorithm>
#include <cstdlib>
#include <format>

#include "http_delivery.hpp"
#include "postgres_delivery.hpp"
#include "rltune/base/secret.hpp"

namespace rltune::forward {

std::vector<std::string> streams_of(const config::Sink& sink) {
  if (!sink.streams.empty()) return sink.streams;
  if (sink.kind == "opensearch") return {"logs"};
  if (sink.kind == "remote_write" || sink.kind == "influx") return {"metrics"};
  return {"logs", "metrics"};
}

Result<std::unique_ptr<Delivery>> make_delivery(const config::Sink& sink, const std::string& stream,
                                                const std::filesystem::path& folder, const Clock& clock,
                                                Duration timeout) {
  const std::vector<std::string> known = streams_of({.kind = sink.kind});
  if (std::ranges::find(known, stream) == known.end())
    return fail(Errc::unsupported, std::format("a sink of kind {} takes no {}", sink.kind, stream));
  if (sink.kind == "postgres") return make_postgres_delivery(sink, folder, timeout);
  auto encoding = make_encoding(sink);
  if (!encoding) return fail(Errc::unsupported, std::format("there is no kind of sink '{}'", sink.kind));
  return make_http_delivery(sink, std::move(encoding), folder, clock, timeout);
}

ForwarderOptions options_of(const config::Sink& sink, const std::string& stream) {
  return {.sink = sink.name,
          .stream = stream,
          .batch_bytes_max = static_cast<std::size_t>(sink.batch_max_kb * 1024.0),
          .interval = from_seconds(sink.interval_s)};
}

namespace {

// Another file named by mistake, and the request would be refused for its form: no record shall be blamed for that.
Result<std::string> one_line(const config::Sink& sink, std::string secret) {
  if (std::ranges::any_of(secret, [](unsigned char c) { return c < ' ' || c == 0x7f; }))
    return fail(
        Errc::invalid_argument,
        std::format("the key of sink {} is more than one line of text; is it the file that was meant?", sink.name));
  return secret;
}

}  // namespace

Result<std::string> secret_of(const config::Sink& sink, const std::filesystem::path& folder) {
  if (const char* value = sink.secret_env.empty() ? nullptr : std::getenv(sink.secret_env.c_str());
      value != nullptr && *value != '\0')
    return one_line(sink, value);
  const auto file = sink.secret_file.empty() ? sink.secret_file : folder / sink.secret_file;
  auto found = find_secret("sink-" + sink.name, file);
  if (!found) return std::unexpected(found.error());
  if (!*found || (*found)->empty())
    return fail(Errc::not_found, std::format("the key of sink {} is neither in {} nor in the environment", sink.name,
                                             file.empty() ? "a file" : file.string()));
  return one_line(sink, std::move(**found));
}

}  // namespace rltune::forward
