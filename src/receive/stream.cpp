#include "stream.hpp"

#include <algorithm>
#include <format>
#include <limits>
#include <nlohmann/json.hpp>

#include "rltune/base/log.hpp"
#include "rltune/forward/delivery.hpp"

namespace rltune::receive {
namespace {

// More than any number of sites, and of gaps that damage leaves: who makes more is not a site.
constexpr std::size_t kSourcesMax = 10'000, kSpansMax = 10'000;

forward::Record unwrapped(telemetry::StoredRecord stored) {
  auto received = parse_received(stored.payload);
  if (!received) return {.sequence = stored.sequence, .unix_ns = stored.unix_ns, .entry = std::move(stored.payload)};
  received->record.sequence = stored.sequence;
  return std::move(received->record);
}

Answer later(const std::string& why) {
  return {.status = 503, .body = nlohmann::json{{"detail", why}}.dump(), .headers = {{"Retry-After", "1"}}};
}

Answer taken(std::size_t accepted, std::size_t duplicates,
             const std::vector<std::pair<std::string, std::string>>& refused) {
  nlohmann::ordered_json json{{"accepted", accepted}, {"duplicates", duplicates}};
  for (const auto& [id, reason] : refused) json["refused"].push_back({{"id", id}, {"reason", reason}});
  return {.body = json.dump()};
}

}  // namespace

Result<std::unique_ptr<Stream>> Stream::open(const std::string& name, const std::string& own_id, StreamMarks marks,
                                             const ReceiverOptions& options, const Clock& clock) {
  auto storage = telemetry::open_folder(options.folder / name);
  if (!storage) return std::unexpected(storage.error());
  auto buffer = telemetry::Buffer::open(std::move(*storage), clock, {.free_bytes_min = options.free_bytes_min});
  if (!buffer) return std::unexpected(buffer.error());
  // A buffer that was begun anew knows nothing of what the marks count in.
  if (marks.upto > buffer->acknowledged()) marks.upto = 0;
  auto intake = std::make_unique<telemetry::Intake>(std::move(*buffer));
  if (auto caught_up = catch_up(marks, *intake); !caught_up) return std::unexpected(caught_up.error());
  std::unique_ptr<Stream> stream(new Stream(name, std::move(marks), std::move(intake)));
  if (auto started = stream->start_forwarders(own_id, options, clock); !started)
    return std::unexpected(started.error());
  telemetry::Retention retention = options.retention;
  retention.taken = [raw = stream.get()] { return raw->taken_by_all(); };
  stream->intake_->retain(retention);
  return stream;
}

Stream::~Stream() {
  std::vector<Sending> ending;
  {
    const std::scoped_lock lock(sendings_mutex_);
    closing_ = true;
    ending.swap(sendings_);
  }
}

Result<> Stream::start_forwarders(const std::string& own_id, const ReceiverOptions& options, const Clock& clock) {
  for (const config::Sink& sink : options.sinks) {
    const auto streams = forward::streams_of(sink);
    if (std::ranges::find(streams, name_) == streams.end()) continue;
    auto delivery = forward::make_delivery(sink, name_, options.sinks_folder, clock, options.send_timeout);
    if (!delivery) return std::unexpected(delivery.error());
    forward::ForwarderOptions with = forward::options_of(sink, name_);
    with.buffer_id = own_id;
    with.folder = options.folder / "forward" / sink.name / name_;
    with.unwrap = unwrapped;
    auto forwarder = forward::Forwarder::start(*intake_, std::move(*delivery), std::move(with), clock);
    if (!forwarder) return std::unexpected(forwarder.error());
    sendings_.push_back({sink.name, std::move(*forwarder)});
  }
  return {};
}

void Stream::take(const forward::Batch& batch, std::vector<std::pair<std::string, std::string>> refused,
                  const Receiver::Reply& reply) {
  std::vector<Received> fresh = received_of(batch);
  telemetry::Payloads payloads;
  {
    const std::scoped_lock lock(mutex_);
    if (is_under_way(batch)) return reply(later("the same batch is being written; ask again"));
    const auto known = marks_.taken.find(batch.buffer_id);
    if (known == marks_.taken.end() ? marks_.taken.size() >= kSourcesMax : known->second.size() >= kSpansMax) {
      log::error("a source is put off: too many sources, or too many gaps in one", {{"source", batch.buffer_id}});
      return reply(later("too many sources, or too many gaps in one"));
    }
    if (known != marks_.taken.end())
      std::erase_if(fresh, [&](const Received& one) { return known->second.has(one.record.sequence); });
    ++counts_.batches;
    counts_.refused += refused.size();
    counts_.duplicates += batch.records.size() - fresh.size();
    if (fresh.empty()) return reply(taken(0, batch.records.size(), refused));
    under_way_.emplace(batch.buffer_id, batch.range);
  }
  for (const Received& one : fresh) payloads.add(to_payload(one));
  const std::size_t duplicates = batch.records.size() - fresh.size();
  const auto done = [this, batch, fresh, duplicates, refused = std::move(refused),
                     reply](const Result<telemetry::SequenceRange>& committed) {
    settle(batch, fresh, committed);
    reply(committed ? taken(fresh.size(), duplicates, refused) : later(committed.error().message));
  };
  if (auto submitted = intake_->submit(std::move(payloads), done); !submitted) done(std::unexpected(submitted.error()));
}

void Stream::settle(const forward::Batch& batch, const std::vector<Received>& fresh,
                    const Result<telemetry::SequenceRange>& committed) {
  {
    const std::scoped_lock lock(mutex_);
    const auto [begin, end] = under_way_.equal_range(batch.buffer_id);
    for (auto it = begin; it != end; ++it)
      if (it->second == batch.range) {
        under_way_.erase(it);
        break;
      }
    if (!committed) return;
    Spans& spans = marks_.taken[batch.buffer_id];
    for (const Received& one : fresh) spans.add(one.covers);
    marks_.upto = std::max(marks_.upto, committed->last);
    counts_.records += fresh.size();
  }
  const std::scoped_lock lock(sendings_mutex_);
  for (const Sending& sending : sendings_) sending.forwarder->notify();
}

bool Stream::is_under_way(const forward::Batch& batch) const {
  const auto [begin, end] = under_way_.equal_range(batch.buffer_id);
  return std::any_of(begin, end, [&](const auto& other) {
    return other.second.first <= batch.range.last && batch.range.first <= other.second.last;
  });
}

// Where nobody forwards nobody waits.
std::uint64_t Stream::taken_by_all() {
  const std::scoped_lock lock(sendings_mutex_);
  if (closing_) return taken_by_all_;
  taken_by_all_ = std::numeric_limits<std::uint64_t>::max();
  for (const Sending& sending : sendings_) taken_by_all_ = std::min(taken_by_all_, sending.forwarder->taken());
  return taken_by_all_;
}

StreamMarks Stream::marks() const {
  const std::scoped_lock lock(mutex_);
  return marks_;
}

Counts Stream::counts() const {
  const std::scoped_lock lock(mutex_);
  return counts_;
}

void Stream::add_figures(std::vector<Receiver::SinkFigures>& to) {
  const std::scoped_lock lock(sendings_mutex_);
  for (const Sending& sending : sendings_) to.push_back({sending.sink, name_, sending.forwarder->figures()});
}

}  // namespace rltune::receive
