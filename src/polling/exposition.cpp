#include "rltune/polling/exposition.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <format>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "rltune/base/metric_name.hpp"
#include "rltune/base/utf8.hpp"

namespace rltune::polling {
namespace {

using telemetry::MetricSample;

// Those of 0.0.4, and those that OpenMetrics has beside them.
constexpr std::array<std::string_view, 9> kTypes{"counter", "gauge",    "histogram", "summary",       "untyped",
                                                 "unknown", "stateset", "info",      "gaugehistogram"};

std::unexpected<Error> faulty(std::string what) { return fail(Errc::parse, std::move(what)); }

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// The rest of one line.
class Cursor {
 public:
  explicit Cursor(std::string_view line) : rest_(line) {}

  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_[0])) rest_.remove_prefix(1);
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool ended() const { return rest_.empty(); }
  bool at(char c) const { return rest_.starts_with(c); }
  std::string_view rest() const { return rest_; }

  // Up to a blank or one of `ends`.
  std::string_view word(std::string_view ends = "") {
    std::size_t length = 0;
    while (length < rest_.size() && !is_blank(rest_[length]) && !ends.contains(rest_[length])) ++length;
    const std::string_view word = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return word;
  }

  // After its first quote.
  Result<std::string> quoted() {
    std::string text;
    while (!rest_.empty() && rest_[0] != '"') {
      char c = std::exchange(rest_, rest_.substr(1))[0];
      if (c == '\\') {
        const char escaped = rest_.empty() ? '\0' : std::exchange(rest_, rest_.substr(1))[0];
        if (escaped != '\\' && escaped != '"' && escaped != 'n')
          return faulty("after a backslash stands what is none of \\\\, \\\" and \\n");
        c = escaped == 'n' ? '\n' : escaped;
      }
      text += c;
    }
    if (!take('"')) return faulty("the value of a label does not end");
    if (text.size() > telemetry::kLabelValueMax)
      return faulty(
          std::format("the value of a label has {} bytes; {} is the most", text.size(), telemetry::kLabelValueMax));
    if (!is_utf8(text)) return faulty("the value of a label is no UTF-8");
    return text;
  }

 private:
  std::string_view rest_;
};

std::string shown(std::string_view text) {
  std::string safe(text.substr(0, 40));
  for (char& c : safe)
    if (c < ' ' || c > '~') c = '?';
  return "'" + safe + (text.size() > 40 ? "...'" : "'");
}

Result<double> number(std::string_view text) {
  const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
  double value = 0.0;
  const bool odd = digits.contains('(') || (digits.size() != text.size() && digits.starts_with('-'));
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (odd || error != std::errc() || end != digits.data() + digits.size())
    return faulty(std::format("{} is no number", shown(text)));
  return value;
}

Result<std::int64_t> instant(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    return faulty(std::format("{} is no timestamp in milliseconds", shown(text)));
  return value;
}

Result<> take_labels(Cursor& cursor, std::map<std::string, std::string>& labels, std::size_t most) {
  while (true) {
    cursor.skip_blanks();
    if (cursor.take('}')) return {};
    const std::string name(cursor.word("=,{}\""));
    // Names of two underscores are Prometheus' own.
    if (!is_label_name(name) || name.starts_with("__") || name.size() > telemetry::kMetricNameMax)
      return faulty(std::format("{} is not the name of a label", shown(name)));
    cursor.skip_blanks();
    if (!cursor.take('=')) return faulty(std::format("after the label {} no '=' follows", shown(name)));
    cursor.skip_blanks();
    if (!cursor.take('"')) return faulty(std::format("the value of the label {} is not in quotes", shown(name)));
    auto value = cursor.quoted();
    if (!value) return std::unexpected(value.error());
    if (!labels.emplace(name, std::move(*value)).second)
      return faulty(std::format("the label {} stands there twice", shown(name)));
    if (labels.size() > most) return faulty(std::format("more than {} labels", most));
    cursor.skip_blanks();
    if (!cursor.take(',') && !cursor.at('}')) return faulty("between two labels stands no comma");
  }
}

class Reader {
 public:
  Reader(std::int64_t unix_ms, const ExpositionLimits& limits) : unix_ms_(unix_ms), limits_(limits) {}

  Result<std::vector<MetricSample>> take(std::string_view text) {
    if (text.size() > limits_.bytes_max)
      return faulty(std::format("{} bytes; {} is the most", text.size(), limits_.bytes_max));
    for (std::size_t line = 1; !text.empty(); ++line) {
      const std::size_t end = text.find('\n');
      const auto taken =
          end == std::string_view::npos ? faulty("it does not end: the answer is cut") : take_line(text.substr(0, end));
      if (!taken) return faulty(std::format("line {}: {}", line, taken.error().message));
      text.remove_prefix(end + 1);
    }
    if (auto twice = refuse_doubles(); !twice) return std::unexpected(twice.error());
    return std::move(samples_);
  }

 private:
  Result<> take_line(std::string_view line) {
    Cursor cursor(line);
    cursor.skip_blanks();
    if (cursor.ended()) return {};
    return cursor.take('#') ? take_comment(cursor) : take_sample(cursor);
  }

  Result<> take_comment(Cursor cursor) {
    cursor.skip_blanks();
    const std::string_view word = cursor.word();
    if (word != "TYPE" && word != "HELP") return {};
    cursor.skip_blanks();
    const std::string name(cursor.word());
    if (!is_metric_name(name)) return faulty(std::format("{} is not the name of a metric", shown(name)));
    if (word == "HELP") {
      if (!helped_.insert(name).second) return faulty(std::format("a second HELP of {}", shown(name)));
      return {};
    }
    cursor.skip_blanks();
    const std::string_view type = cursor.word();
    cursor.skip_blanks();
    if (std::ranges::find(kTypes, type) == kTypes.end() || !cursor.ended())
      return faulty(std::format("{} is no type of a metric", shown(type)));
    if (!types_.emplace(name, type).second) return faulty(std::format("a second TYPE of {}", shown(name)));
    if (sampled_.contains(name)) return faulty(std::format("the TYPE of {} stands after its samples", shown(name)));
    return {};
  }

  Result<> take_sample(Cursor& cursor) {
    MetricSample sample{.name = std::string(cursor.word("{")), .labels = {}, .unix_ms = unix_ms_, .value = 0.0};
    if (!is_metric_name(sample.name) || sample.name.size() > telemetry::kMetricNameMax)
      return faulty(std::format("{} is not the name of a metric", shown(sample.name)));
    cursor.skip_blanks();
    if (cursor.take('{'))
      if (auto labels = take_labels(cursor, sample.labels, limits_.labels_max); !labels) return labels;
    cursor.skip_blanks();
    const auto value = number(cursor.word());
    if (!value) return std::unexpected(value.error());
    sample.value = *value;
    cursor.skip_blanks();
    if (!cursor.ended()) {
      const auto time = instant(cursor.word());
      if (!time) return std::unexpected(time.error());
      sample.unix_ms = *time;
      cursor.skip_blanks();
    }
    if (!cursor.ended()) return faulty(std::format("after the sample stands {}", shown(cursor.rest())));
    if (samples_.size() == limits_.series_max) return faulty(std::format("more than {} series", limits_.series_max));
    sampled_.insert(sample.name);
    if (auto fits = fits_its_type(sample); !fits) return fits;
    samples_.push_back(std::move(sample));
    return {};
  }

  // The label that tells a bucket or a quantile is there, and a number.
  Result<> fits_its_type(const MetricSample& sample) const {
    const bool bucket = sample.name.ends_with("_bucket");
    const std::string family = bucket ? sample.name.substr(0, sample.name.size() - 7) : sample.name;
    const auto type = types_.find(family);
    if (type == types_.end()) return {};
    const char* label = bucket && type->second == "histogram"  ? "le"
                        : !bucket && type->second == "summary" ? "quantile"
                                                               : nullptr;
    if (label == nullptr) return {};
    const auto edge = sample.labels.find(label);
    if (edge == sample.labels.end())
      return faulty(std::format("{} of a {} has no label {}", sample.name, type->second, label));
    if (!number(edge->second)) return faulty(std::format("{} of {} is no number", label, sample.name));
    return {};
  }

  Result<> refuse_doubles() const {
    std::vector<const MetricSample*> sorted;
    sorted.reserve(samples_.size());
    for (const MetricSample& sample : samples_) sorted.push_back(&sample);
    const auto key = [](const MetricSample* sample) { return std::tie(sample->name, sample->labels, sample->unix_ms); };
    std::ranges::sort(sorted, {}, key);
    const auto twice = std::ranges::adjacent_find(sorted, {}, key);
    if (twice == sorted.end()) return {};
    return faulty(std::format("a series of {} stands there twice", (*twice)->name));
  }

  std::int64_t unix_ms_;
  ExpositionLimits limits_;
  std::vector<MetricSample> samples_;
  std::map<std::string, std::string, std::less<>> types_;
  std::set<std::string> helped_, sampled_;
};

}  // namespace

Result<std::vector<MetricSample>> parse_exposition(std::string_view text, std::int64_t unix_ms,
                                                   const ExpositionLimits& limits) {
  return Reader(unix_ms, limits).take(text);
}

}  // namespace rltune::polling
