// Prometheus remote write 1.0: protobuf and snappy's block format; labels in order of their names, samples in order of
// time.
#include <snappy.h>

#include <algorithm>
#include <map>

#include "encoding.hpp"
#include "remote_write.pb.h"
#include "rltune/telemetry/metric_sample.hpp"

namespace rltune::forward {
namespace {

using Labels = std::map<std::string, std::string>;
// Of one series, by time. Where two samples have the same time the later one holds.
using Samples = std::map<std::int64_t, double>;

class RemoteWriteEncoding final : public Encoding {
 public:
  Encoded encode(const Batch& batch) const override {
    Encoded encoded{.content_type = "application/x-protobuf",
                    .headers = {{"Content-Encoding", "snappy"}, {"X-Prometheus-Remote-Write-Version", "0.1.0"}},
                    .may_compress = false};
    std::map<Labels, Samples> series;
    for (const Record& record : batch.records) {
      auto sample = telemetry::parse_metric(record.entry);
      if (!sample) {
        encoded.unfit.push_back({record.sequence, sample.error().message});
        continue;
      }
      Labels labels = std::move(sample->labels);
      labels["__name__"] = sample->name;
      if (!record.site.empty()) labels.try_emplace("site", record.site);
      series[std::move(labels)][sample->unix_ms] = sample->value;
    }
    const std::string bytes = to_message(series).SerializeAsString();
    snappy::Compress(bytes.data(), bytes.size(), &encoded.body);
    return encoded;
  }

 private:
  static remote_write::WriteRequest to_message(const std::map<Labels, Samples>& all) {
    remote_write::WriteRequest request;
    for (const auto& [labels, samples] : all) {
      remote_write::TimeSeries& series = *request.add_timeseries();
      for (const auto& [name, value] : labels) {
        if (value.empty()) continue;  // which is the same as no label
        remote_write::Label& label = *series.add_labels();
        label.set_name(name);
        label.set_value(value);
      }
      for (const auto& [unix_ms, value] : samples) {
        remote_write::Sample& sample = *series.add_samples();
        sample.set_timestamp(unix_ms);
        sample.set_value(value);
      }
    }
    return request;
  }
};

}  // namespace

std::unique_ptr<Encoding> make_remote_write_encoding() { return std::make_unique<RemoteWriteEncoding>(); }

}  // namespace rltune::forward
