#include "rltune/telemetry/metric_sample.hpp"

#include <yyjson.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <format>
#include <limits>
#include <memory>
#include <utility>

#include "rltune/base/check.hpp"
#include "rltune/base/metric_name.hpp"

namespace rltune::telemetry {
namespace {

struct FreeDocument {
  void operator()(yyjson_doc* document) const noexcept { yyjson_doc_free(document); }
  void operator()(yyjson_mut_doc* document) const noexcept { yyjson_mut_doc_free(document); }
};

constexpr std::array<std::string_view, 4> kFields{"name", "labels", "timestamp", "value"};

std::string_view text_of(yyjson_val* value) noexcept { return {yyjson_get_str(value), yyjson_get_len(value)}; }

yyjson_mut_val* text(yyjson_mut_doc* document, const std::string& text) {
  return yyjson_mut_strn(document, text.data(), text.size());
}

yyjson_mut_val* number(yyjson_mut_doc* document, double value) {
  constexpr double kExact = 9007199254740992.0;  // 2^53: integers up to it are what they read
  if (std::isnan(value)) return yyjson_mut_str(document, "NaN");
  if (std::isinf(value)) return yyjson_mut_str(document, value > 0 ? "+Inf" : "-Inf");
  const bool integer =
      std::trunc(value) == value && std::fabs(value) < kExact && !(value == 0.0 && std::signbit(value));
  return integer ? yyjson_mut_sint(document, static_cast<std::int64_t>(value)) : yyjson_mut_real(document, value);
}

// Empty where a text of it is no UTF-8.
std::string written(const MetricSample& sample) {
  const std::unique_ptr<yyjson_mut_doc, FreeDocument> document(yyjson_mut_doc_new(nullptr));
  yyjson_mut_val* root = yyjson_mut_obj(document.get());
  yyjson_mut_doc_set_root(document.get(), root);
  yyjson_mut_val* labels = yyjson_mut_obj(document.get());
  for (const auto& [label, value] : sample.labels)
    yyjson_mut_obj_add(labels, text(document.get(), label), text(document.get(), value));
  yyjson_mut_obj_add_val(document.get(), root, "name", text(document.get(), sample.name));
  yyjson_mut_obj_add_val(document.get(), root, "labels", labels);
  yyjson_mut_obj_add_sint(document.get(), root, "timestamp", sample.unix_ms);
  yyjson_mut_obj_add_val(document.get(), root, "value", number(document.get(), sample.value));
  std::size_t length = 0;
  const std::unique_ptr<char, decltype(&std::free)> bytes(yyjson_mut_write(document.get(), 0, &length), &std::free);
  return bytes ? std::string(bytes.get(), length) : std::string();
}

std::string ascii(std::string text) {
  for (char& c : text)
    if ((static_cast<unsigned char>(c) & 0x80U) != 0) c = '?';
  return text;
}

std::unexpected<Error> faulty(std::string_view field, std::string_view what) {
  return fail(Errc::parse, std::format("{}: {}", field, what));
}

Result<> take_labels(yyjson_val* labels, MetricSample& into) {
  if (!yyjson_is_obj(labels)) return faulty("labels", "it should be an object");
  if (yyjson_obj_size(labels) > kLabelsMax)
    return faulty("labels", std::format("{} of them; {} is the most", yyjson_obj_size(labels), kLabelsMax));
  yyjson_obj_iter iterator = yyjson_obj_iter_with(labels);
  while (yyjson_val* key = yyjson_obj_iter_next(&iterator)) {
    yyjson_val* value = yyjson_obj_iter_get_val(key);
    const std::string_view name = text_of(key);
    if (!is_label_name(name) || name.size() > kMetricNameMax)
      return faulty("labels", std::format("'{}' is not the name of a label", name.substr(0, kMetricNameMax)));
    if (!yyjson_is_str(value) || yyjson_get_len(value) > kLabelValueMax)
      return faulty(std::format("labels.{}", name),
                    std::format("it should be a text of {} bytes at most", kLabelValueMax));
    if (!into.labels.emplace(name, text_of(value)).second)
      return faulty(std::format("labels.{}", name), "it stands there twice");
  }
  return {};
}

Result<> take_value(yyjson_val* value, double& into) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::string_view word = yyjson_is_str(value) ? text_of(value) : "";
  if (yyjson_is_num(value))
    into = yyjson_get_num(value);
  else if (word == "NaN")
    into = std::numeric_limits<double>::quiet_NaN();
  else if (word == "+Inf")
    into = kInfinity;
  else if (word == "-Inf")
    into = -kInfinity;
  else
    return faulty("value", "it should be a number, \"NaN\", \"+Inf\" or \"-Inf\"");
  return {};
}

Result<> take_field(std::string_view field, yyjson_val* value, MetricSample& into) {
  if (field == "labels") return take_labels(value, into);
  if (field == "value") return take_value(value, into.value);
  if (field == "timestamp") {
    // An unsigned one is beyond the signed; yyjson tells them apart by the sign alone.
    if (!yyjson_is_int(value) ||
        (yyjson_is_uint(value) && yyjson_get_uint(value) > std::uint64_t{std::numeric_limits<std::int64_t>::max()}))
      return faulty(field, "it should be milliseconds since 1970, an integer");
    into.unix_ms = yyjson_get_sint(value);
    return {};
  }
  if (!yyjson_is_str(value) || yyjson_get_len(value) > kMetricNameMax || !is_metric_name(text_of(value)))
    return faulty(field, "it is not the name of a metric");
  into.name = text_of(value);
  return {};
}

}  // namespace

std::string to_payload(const MetricSample& sample) {
  if (std::string payload = written(sample); !payload.empty()) return payload;
  MetricSample readable{ascii(sample.name), {}, sample.unix_ms, sample.value};
  for (const auto& [label, value] : sample.labels) readable.labels.emplace(ascii(label), ascii(value));
  std::string payload = written(readable);
  RLTUNE_CHECK(!payload.empty());
  return payload;
}

Result<MetricSample> parse_metric(std::string_view payload) {
  yyjson_read_err error{};
  const std::unique_ptr<yyjson_doc, FreeDocument> document(
      yyjson_read_opts(const_cast<char*>(payload.data()), payload.size(), 0, nullptr, &error));
  if (!document) return fail(Errc::parse, std::format("no JSON at byte {}: {}", error.pos, error.msg));
  yyjson_val* root = yyjson_doc_get_root(document.get());
  if (!yyjson_is_obj(root)) return fail(Errc::parse, "a sample should be an object");
  MetricSample sample;
  std::array<bool, kFields.size()> seen{};
  yyjson_obj_iter iterator = yyjson_obj_iter_with(root);
  while (yyjson_val* key = yyjson_obj_iter_next(&iterator)) {
    const auto field = std::ranges::find(kFields, text_of(key));
    if (field == kFields.end()) return faulty(text_of(key).substr(0, kMetricNameMax), "no field of a sample");
    if (std::exchange(seen[static_cast<std::size_t>(field - kFields.begin())], true))
      return faulty(*field, "it stands there twice");
    if (auto taken = take_field(*field, yyjson_obj_iter_get_val(key), sample); !taken)
      return std::unexpected(taken.error());
  }
  for (std::size_t i = 0; i < kFields.size(); ++i)
    if (!seen[i]) return faulty(kFields[i], "it is missing");
  return sample;
}

}  // namespace rltune::telemetry
