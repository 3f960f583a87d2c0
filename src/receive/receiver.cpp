#include "rltune/receive/receiver.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <format>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "rltune/base/file.hpp"
#include "rltune/base/id.hpp"
#include "rltune/base/log.hpp"
#include "rltune/forward/gateway.hpp"
#include "rltune/forward/gzip.hpp"
#include "rltune/telemetry/log_entry.hpp"
#include "rltune/telemetry/metric_sample.hpp"
#include "stream.hpp"

namespace rltune::receive {
namespace {

constexpr std::array kStreams{"logs", "metrics"};
// Of a record as it stands in the buffer, which takes 1 MiB: what comes around an entry is less than the rest.
constexpr std::size_t kEntryMax = (1UZ << 20U) - 1024;

using Headers = std::map<std::string, std::string>;

Answer refusal(int status, const std::string& why) {
  return {.status = status, .body = nlohmann::json{{"detail", why}}.dump()};
}

std::string_view header(const Headers& headers, const char* name) {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

// In a time that does not tell how much of it was right.
bool same(std::string_view given, std::string_view token) {
  return given.size() == token.size() && CRYPTO_memcmp(given.data(), token.data(), token.size()) == 0;
}

bool shows_token(const Headers& headers, std::string_view token) {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view given = header(headers, "authorization");
  return same(header(headers, "x-api-key"), token) ||
         (given.starts_with(kBearer) && same(given.substr(kBearer.size()), token));
}

// Empty: it is as it should be.
std::string fault_of(const std::string& stream, const std::string& entry) {
  if (entry.size() > kEntryMax) return std::format("{} bytes; {} is the most of an entry", entry.size(), kEntryMax);
  if (stream == "metrics") {
    const auto sample = telemetry::parse_metric(entry);
    return sample ? "" : sample.error().message;
  }
  const auto parsed = telemetry::parse_entries(entry);
  if (parsed.faults.empty()) return "";
  return parsed.faults.front().field + ": " + parsed.faults.front().message;
}

Result<std::string> source_in(const std::filesystem::path& folder, const Clock& clock) {
  const auto file = folder / "source";
  if (auto known = read_file(file); known && known->size() == 36) return known;
  std::string id = make_id(clock.now());
  if (auto done = write_file(file, id); !done) return std::unexpected(done.error());
  return id;
}

Marks marks_in(const std::filesystem::path& file) {
  const auto text = read_file(file);
  if (!text) return {};
  auto marks = parse_marks(*text);
  if (marks) return std::move(*marks);
  log::error("what was taken is read from the buffers alone",
             {{"file", file.string()}, {"reason", marks.error().message}});
  return {};
}

}  // namespace

struct Receiver::State {
  explicit State(ReceiverOptions with) : options(std::move(with)) {}

  Result<> open(const Clock& clock) {
    const auto own_id = source_in(options.folder, clock);
    if (!own_id) return std::unexpected(own_id.error());
    Marks marks = marks_in(marks_file());
    for (const char* name : kStreams) {
      auto stream = Stream::open(name, *own_id, std::move(marks[name]), options, clock);
      if (!stream) return std::unexpected(stream.error());
      streams.emplace(name, std::move(*stream));
    }
    return write_marks();
  }

  std::filesystem::path marks_file() const { return options.folder / "marks"; }

  Result<> write_marks() {
    Marks marks;
    std::uint64_t sum = 0;
    for (const auto& [name, stream] : streams) sum += (marks[name] = stream->marks()).upto;
    if (sum == written && sum > 0) return {};
    auto done = write_file(marks_file(), to_text(marks));
    if (done) written = sum;
    return done;
  }

  void keep_marks() {
    std::unique_lock lock(mutex);
    while (!ends.wait_for(lock, options.marks_every, [this] { return stopping; })) {
      lock.unlock();
      if (auto done = write_marks(); !done)
        log::error("what was taken cannot be written down", {{"reason", done.error().message}});
      lock.lock();
    }
  }

  void stop() {
    {
      const std::scoped_lock lock(mutex);
      stopping = true;
    }
    ends.notify_all();
    if (thread.joinable()) thread.join();
    (void)write_marks();
  }

  const ReceiverOptions options;
  std::map<std::string, std::unique_ptr<Stream>> streams;
  std::uint64_t written = 0;
  mutable std::mutex mutex;
  std::condition_variable ends;
  bool stopping = false;
  std::atomic<std::uint64_t> denied = 0;
  std::thread thread;
};

Result<std::unique_ptr<Receiver>> Receiver::open(ReceiverOptions options, const Clock& clock) {
  if (options.token_needed && options.token.empty())
    return fail(Errc::invalid_argument, "a receiver needs a token that senders show");
  for (const config::Sink& sink : options.sinks)
    if (sink.kind == "gateway")
      return fail(Errc::unsupported,
                  std::format("sink {}: a receiver forwards to stores, not to a gateway", sink.name));
  auto state = std::make_unique<State>(std::move(options));
  if (auto opened = state->open(clock); !opened) return std::unexpected(opened.error());
  state->thread = std::thread([running = state.get()] { running->keep_marks(); });
  return std::unique_ptr<Receiver>(new Receiver(std::move(state)));
}

Receiver::Receiver(std::unique_ptr<State> state) : state_(std::move(state)) {}
Receiver::~Receiver() { state_->stop(); }

void Receiver::take(const Headers& headers, std::string_view body, const Reply& reply) {
  if (!state_->options.token.empty() && !shows_token(headers, state_->options.token)) {
    ++state_->denied;
    return reply(refusal(401, "the token is missing or another one"));
  }
  const std::string_view encoding = header(headers, "content-encoding");
  const std::size_t most = state_->options.body_bytes_max;
  if (!encoding.empty() && encoding != "gzip" && encoding != "identity")
    return reply(refusal(415, "the encoding of the body is neither gzip nor none"));
  std::string unpacked;
  if (encoding == "gzip") {
    auto text = forward::gunzip(body, most);
    if (!text) return reply(refusal(text.error().code == Errc::no_space ? 413 : 400, text.error().message));
    unpacked = std::move(*text);
    body = unpacked;
  }
  if (body.size() > most) return reply(refusal(413, std::format("more than {} bytes", most)));
  auto batch = forward::parse_gateway(body);
  if (!batch) return reply(refusal(400, batch.error().message));
  std::vector<std::pair<std::string, std::string>> refused;
  std::erase_if(batch->records, [&](const forward::Record& record) {
    std::string fault = fault_of(batch->stream, record.entry);
    if (fault.empty()) return false;
    refused.emplace_back(record.id, std::move(fault));
    return true;
  });
  state_->streams.at(batch->stream)->take(*batch, std::move(refused), reply);
}

std::string Receiver::trouble() const {
  for (const auto& [name, stream] : state_->streams)
    if (const auto writable = stream->writable(); !writable) return name + ": " + writable.error().message;
  return "";
}

Counts Receiver::counts() const {
  Counts sum;
  for (const auto& [name, stream] : state_->streams) {
    const Counts of = stream->counts();
    sum.batches += of.batches;
    sum.records += of.records;
    sum.duplicates += of.duplicates;
    sum.refused += of.refused;
  }
  sum.denied = state_->denied;
  return sum;
}

std::vector<Receiver::SinkFigures> Receiver::sinks() const {
  std::vector<SinkFigures> all;
  for (const auto& [name, stream] : state_->streams) stream->add_figures(all);
  return all;
}

}  // namespace rltune::receive
