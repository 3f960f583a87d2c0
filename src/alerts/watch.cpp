#include "rltune/alerts/watch.hpp"

#include <yyjson.h>

#include <algorithm>

#include "instance_json.hpp"
#include "rltune/base/damage.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/log.hpp"
#include "words.hpp"

namespace rltune::alerts {
namespace {

struct FreeDocument {
  void operator()(yyjson_doc* document) const noexcept { yyjson_doc_free(document); }
};

std::string_view text_of(yyjson_val* object, const char* name) {
  yyjson_val* value = yyjson_obj_get(object, name);
  return {yyjson_is_str(value) ? yyjson_get_str(value) : "", yyjson_get_len(value)};
}

// What we ourselves log of an alert is no reason for another.
bool is_ours(yyjson_val* entry) { return yyjson_obj_get(yyjson_obj_get(entry, "attributes"), "alert") != nullptr; }

}  // namespace

Watch::Watch(config::Alerts alerts, WatchOptions options, const Clock& clock, telemetry::RecordSource& logs,
             telemetry::RecordSource& metrics)
    : options_(std::move(options)),
      clock_(clock),
      logs_(logs),
      metrics_(metrics),
      engine_(std::move(alerts), options_.engine, clock.now()) {}

Watch::~Watch() {
  notifier_.reset();
  keep();
}

Result<std::unique_ptr<Watch>> Watch::open(config::Alerts alerts, WatchOptions options, const Clock& clock,
                                           telemetry::RecordSource& logs, telemetry::RecordSource& metrics) {
  std::unique_ptr<Watch> watch(new Watch(std::move(alerts), std::move(options), clock, logs, metrics));
  watch->engine_.next_log = logs.acknowledged() + 1;
  watch->engine_.next_metric = metrics.acknowledged() + 1;
  if (auto restored = watch->restore(); !restored) return std::unexpected(restored.error());
  watch->notifier_ = std::make_unique<Notifier>(watch->engine_.rules().channels, watch->options_.notifier);
  return watch;
}

Result<> Watch::restore() {
  const auto text = read_file(options_.state_file);
  if (!text && text.error().code == Errc::not_found) return {};
  if (!text) return std::unexpected(text.error());
  const auto restored = engine_.restore(*text, clock_.now());
  if (restored) return {};
  return put_aside(options_.state_file, restored.error().message, "alerts begin anew: what lasts is told again");
}

bool Watch::turn() {
  const Duration now = clock_.steady();
  if (now < due_) return false;
  const std::lock_guard lock(mutex_);
  // What has not been read yet is not absent: nothing is said before all of it has been.
  const bool caught_up = read(logs_, engine_.next_log, true) && read(metrics_, engine_.next_metric, false);
  if (!caught_up) return true;
  due_ = now + options_.evaluate_every;
  for (const std::uint64_t number : notifier_->finished()) engine_.told(number);
  changed_ = engine_.evaluate(clock_.now()) || changed_;
  if (changed_ || now >= keep_due_) {
    keep_due_ = now + options_.keep_every;
    keep();
  }
  hand_over();
  return true;
}

bool Watch::read(telemetry::RecordSource& source, std::uint64_t& next, bool logs) {
  next = std::max(next, source.floor());
  for (std::size_t i = 0; next <= source.acknowledged(); ++i) {
    if (i == options_.reads_a_turn) return false;
    const auto batch = source.read(next, options_.read_bytes);
    if (!batch) {
      log::warning("alerts cannot read the buffer", {{"reason", batch.error().message}});
      return true;
    }
    for (const telemetry::StoredRecord& record : batch->records) take(record, logs);
    if (batch->next <= next) return true;
    next = batch->next;
  }
  return true;
}

void Watch::take(const telemetry::StoredRecord& record, bool logs) {
  const TimePoint at = std::min(TimePoint(Duration(record.unix_ns)), clock_.now());
  if (!logs) {
    const auto sample = telemetry::parse_metric(record.payload);
    if (!sample) return void(++counts_.unreadable);
    ++counts_.samples;
    return engine_.take(*sample, at);
  }
  const std::unique_ptr<yyjson_doc, FreeDocument> document(
      yyjson_read(record.payload.data(), record.payload.size(), YYJSON_READ_NOFLAG));
  yyjson_val* entry = yyjson_doc_get_root(document.get());
  const auto level = log::parse_level(text_of(entry, "level"));
  if (!level) return void(++counts_.unreadable);
  ++counts_.entries;
  if (!is_ours(entry)) engine_.take({text_of(entry, "service"), text_of(entry, "message"), *level}, at);
}

void Watch::keep() {
  std::string state = engine_.state();
  if (state == kept_) return;
  const auto written = write_file(options_.state_file, state);
  if (!written) ++counts_.keep_failures;
  // A full disk is told all the same.
  if (!written && !keeping_failed_)
    log::error("the state of alerts cannot be kept: a restart may tell some again",
               {{"reason", written.error().message}});
  keeping_failed_ = !written;
  changed_ = !written;
  if (written) kept_ = std::move(state);
}

void Watch::hand_over() {
  for (const Notice& notice : engine_.outbox()) notifier_->submit(shown(notice, options_.engine.vault));
}

std::string Watch::instances_json() const {
  const std::lock_guard lock(mutex_);
  Json all = Json::array();
  for (const Instance& instance : engine_.instances()) all.push_back(json_of(shown(instance, options_.engine.vault)));
  return alerts::text_of(all);
}

Result<Instance> Watch::acknowledge(const std::string& id, const std::string& who, const std::string& why,
                                    std::optional<TimePoint> until) {
  const std::lock_guard lock(mutex_);
  auto acknowledged = engine_.acknowledge(id, who, why, until, clock_.now());
  if (!acknowledged) return acknowledged;
  keep();
  hand_over();
  return shown(std::move(*acknowledged), options_.engine.vault);
}

Result<> Watch::test(const std::string& channel) {
  const std::vector<config::Channel>& channels = engine_.rules().channels;  // they do not change
  const auto found = std::ranges::find(channels, channel, &config::Channel::name);
  if (found == channels.end()) return fail(Errc::not_found, "there is no channel '" + channel.substr(0, 100) + "'");
  return send_test(*found, options_.notifier.channel, options_.engine.site, clock_.now());
}

WatchCounts Watch::counts() const {
  const std::lock_guard lock(mutex_);
  WatchCounts counts = counts_;
  counts.engine = engine_.counts();
  counts.channels = notifier_->counts();
  return counts;
}

}  // namespace rltune::alerts
