#include "rltune/forward/gateway.hpp"

#include <algorithm>
#include <cstdlib>
#include <format>

#include "json_text.hpp"

namespace rltune::forward {
namespace {

constexpr std::size_t kIdMax = 64, kSiteMax = 128;

std::unexpected<Error> wrong(const std::string& what) { return fail(Errc::parse, what); }

Result<std::string> name_in(yyjson_val* object, const char* name, std::size_t length_max) {
  const std::string_view text = text_of(field(object, name));
  const bool valid = !text.empty() && text.size() <= length_max && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
  if (!valid)
    return wrong(std::format("{}: a name of at most {} letters, digits, . _ - is expected", name, length_max));
  return std::string(text);
}

// Every field once, and no other.
bool has_exactly(yyjson_val* object, std::span<const std::string_view> names) {
  return yyjson_is_obj(object) && yyjson_obj_size(object) == names.size() &&
         std::ranges::all_of(names, [&](std::string_view name) { return field(object, name) != nullptr; });
}

class Reader {
 public:
  Result<Batch> read(yyjson_val* root) {
    constexpr std::array<std::string_view, 7> kFields{"batch_id", "source", "site",   "stream",
                                                      "first",    "last",   "records"};
    if (!has_exactly(root, kFields))
      return wrong("an object of batch_id, source, site, stream, first, last and records is expected");
    if (auto named = read_names(root); !named) return std::unexpected(named.error());
    batch_.range = {yyjson_get_uint(field(root, "first")), yyjson_get_uint(field(root, "last"))};
    if (batch_.range.first == 0 || batch_.range.last < batch_.range.first)
      return wrong("first and last: numbers from 1 on are expected, the last not before the first");
    if (text_of(field(root, "batch_id")) != batch_.id()) return wrong("batch_id: it does not fit the other fields");
    if (auto done = read_records(field(root, "records")); !done) return std::unexpected(done.error());
    return std::move(batch_);
  }

 private:
  Result<> read_names(yyjson_val* root) {
    auto source = name_in(root, "source", kIdMax);
    auto site = name_in(root, "site", kSiteMax);
    if (!source) return std::unexpected(source.error());
    if (!site) return std::unexpected(site.error());
    batch_.buffer_id = std::move(*source);
    batch_.site = std::move(*site);
    batch_.stream = text_of(field(root, "stream"));
    if (batch_.stream != "logs" && batch_.stream != "metrics") return wrong("stream: logs or metrics is expected");
    return {};
  }

  Result<> read_records(yyjson_val* records) {
    if (!yyjson_is_arr(records) || yyjson_arr_size(records) == 0 || yyjson_arr_size(records) > kBatchRecordsMax)
      return wrong(std::format("records: an array of 1 to {} is expected", kBatchRecordsMax));
    batch_.records.reserve(yyjson_arr_size(records));
    yyjson_arr_iter iterator = yyjson_arr_iter_with(records);
    while (yyjson_val* record = yyjson_arr_iter_next(&iterator))
      if (auto done = read_record(record); !done) return done;
    return {};
  }

  Result<> read_record(yyjson_val* value) {
    constexpr std::array<std::string_view, 4> kFields{"id", "sequence", "received", "entry"};
    const std::string where = std::format("records[{}]", batch_.records.size());
    if (!has_exactly(value, kFields)) return wrong(where + ": an object of id, sequence, received, entry is expected");
    Record record{.sequence = yyjson_get_uint(field(value, "sequence")), .site = batch_.site};
    const std::uint64_t low = batch_.records.empty() ? batch_.range.first : batch_.records.back().sequence + 1;
    if (record.sequence < low || record.sequence > batch_.range.last)
      return wrong(where + ".sequence: it is not in the range, or not after the one before");
    record.id = record_id(batch_.buffer_id, batch_.stream, record.sequence);
    if (text_of(field(value, "id")) != record.id) return wrong(where + ".id: it does not fit the other fields");
    const auto received = parse_rfc3339(text_of(field(value, "received")));
    if (!received) return wrong(where + ".received: an instant like 2025-08-25T10:00:00Z is expected");
    record.unix_ns = received->time_since_epoch().count();
    yyjson_val* entry = field(value, "entry");
    if (!yyjson_is_obj(entry)) return wrong(where + ".entry: an object is expected");
    std::size_t length = 0;
    const std::unique_ptr<char, decltype(&std::free)> text(yyjson_val_write(entry, 0, &length), &std::free);
    if (!text) return wrong(where + ".entry: it cannot be written again");
    record.entry.assign(text.get(), length);
    batch_.records.push_back(std::move(record));
    return {};
  }

  Batch batch_;
};

}  // namespace

std::string to_gateway(const Batch& batch) {
  std::string out = std::format(R"({{"batch_id":{},"source":{},"site":{},"stream":{},"first":{},"last":{},"records":[)",
                                as_json(batch.id()), as_json(batch.buffer_id), as_json(batch.site),
                                as_json(batch.stream), batch.range.first, batch.range.last);
  for (const Record& record : batch.records) {
    const TimePoint received{Duration(record.unix_ns)};
    out += std::format(R"({{"id":{},"sequence":{},"received":"{}","entry":)", as_json(record.id), record.sequence,
                       format_rfc3339(received));
    out += record.entry;
    out += "},";
  }
  if (!batch.records.empty()) out.pop_back();
  return out + "]}";
}

Result<Batch> parse_gateway(std::string_view text) {
  const Document document = parse_json(text);
  if (!document) return wrong("it is no JSON");
  return Reader().read(yyjson_doc_get_root(document.get()));
}

}  // namespace rltune::forward
