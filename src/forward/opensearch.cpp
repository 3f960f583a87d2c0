// OpenSearch and Elasticsearch: `_bulk` with `create` and our own ids, so that what is there already stays as it is.
// docs.opensearch.org: "Bulk API".
#include <algorithm>
#include <format>

#include "encoding.hpp"
#include "json_text.hpp"

namespace rltune::forward {
namespace {

// Statuses of an item that say nothing against it.
bool is_there(std::int64_t status) { return (status >= 200 && status < 300) || status == 409; }
bool is_for_later(std::int64_t status) { return status == 429 || status >= 500 || status == 0; }

std::string reason_of(yyjson_val* result, std::int64_t status) {
  yyjson_val* error = field(result, "error");
  return std::format("status {}: {}: {}", status, text_of(field(error, "type")), text_of(field(error, "reason")));
}

class OpenSearchEncoding final : public Encoding {
 public:
  explicit OpenSearchEncoding(std::string index) : index_(std::move(index)) {}

  std::string url(const std::string& configured, const std::string&) const override {
    if (configured.ends_with("/_bulk")) return configured;
    return configured + (configured.ends_with('/') ? "_bulk" : "/_bulk");
  }

  // The document is the entry with @timestamp, where it came from and its id.
  Encoded encode(const Batch& batch) const override {
    Encoded encoded{.content_type = "application/x-ndjson"};
    for (const Record& record : batch.records) {
      const Document document = parse_json(record.entry);
      yyjson_val* entry = document ? yyjson_doc_get_root(document.get()) : nullptr;
      const std::string_view timestamp = text_of(field(entry, "timestamp"));
      if (!yyjson_is_obj(entry) || timestamp.empty()) {
        encoded.unfit.push_back({record.sequence, "the record is no log entry with a timestamp"});
        continue;
      }
      encoded.body += std::format(R"({{"create":{{"_index":{},"_id":{}}}}})", as_json(index_), as_json(record.id));
      encoded.body += std::format("\n{{\"@timestamp\":{},\"site\":{},\"record_id\":{},", as_json(timestamp),
                                  as_json(record.site), as_json(record.id));
      encoded.body.append(record.entry, record.entry.find('{') + 1);
      encoded.body += '\n';
    }
    return encoded;
  }

  // Where one item is to come again the whole batch does: what was created is answered by 409 then.
  Outcome judge(const Batch& batch, const http::Response& response) const override {
    const Document document = parse_json(response.body);
    yyjson_val* items = document ? field(yyjson_doc_get_root(document.get()), "items") : nullptr;
    if (!yyjson_is_arr(items)) return {.kind = Outcome::Kind::again, .reason = "the answer is none of _bulk"};
    Outcome outcome;
    std::size_t taken = 0;
    yyjson_arr_iter iterator = yyjson_arr_iter_with(items);
    while (yyjson_val* item = yyjson_arr_iter_next(&iterator)) {
      yyjson_val* result = field(item, "create");
      const std::int64_t status = yyjson_get_sint(field(result, "status"));
      const auto record = std::ranges::find(batch.records, text_of(field(result, "_id")), &Record::id);
      if (record == batch.records.end()) continue;
      ++taken;
      if (is_for_later(status)) return {.kind = Outcome::Kind::again, .reason = reason_of(result, status)};
      if (!is_there(status)) outcome.refused.push_back({record->sequence, reason_of(result, status)});
    }
    if (taken == 0) return {.kind = Outcome::Kind::again, .reason = "the answer names none of the records"};
    return outcome;
  }

 private:
  std::string index_;
};

}  // namespace

std::unique_ptr<Encoding> make_opensearch_encoding(const std::string& index) {
  return std::make_unique<OpenSearchEncoding>(index);
}

}  // namespace rltune::forward
