#include "rltune/telemetry/log_entry.hpp"

#include <yyjson.h>

#include <algorithm>
#include <array>
#include <format>
#include <memory>
#include <utility>
#include <vector>

#include "entry_text.hpp"
#include "frame.hpp"

namespace rltune::telemetry {
namespace {

struct FreeDocument {
  void operator()(yyjson_doc* document) const noexcept { yyjson_doc_free(document); }
};
using Document = std::unique_ptr<yyjson_doc, FreeDocument>;

constexpr std::array<std::string_view, 7> kFields{"timestamp",      "service", "level",     "message",
                                                  "correlation_id", "id",      "attributes"};
// What stands before the values; the first cannot be missing.
constexpr std::array<std::string_view, kFields.size()> kBefore{
    R"({"timestamp":)",      R"(,"service":)", R"(,"level":)",     R"(,"message":)",
    R"(,"correlation_id":)", R"(,"id":)",      R"(,"attributes":)"};
constexpr std::size_t kTimestamp = 0, kLevel = 2, kMessage = 3, kRequired = 4, kAttributes = 6;
using Values = std::array<yyjson_val*, kFields.size()>;

std::string_view text_of(yyjson_val* value) noexcept { return {yyjson_get_str(value), yyjson_get_len(value)}; }

// No two begin with the same letter.
std::size_t field_of(std::string_view key) noexcept {
  for (std::size_t i = 0; i < kFields.size(); ++i)
    if (!key.empty() && kFields[i][0] == key[0]) return kFields[i] == key ? i : kFields.size();
  return kFields.size();
}

// The same memory for one document after the other.
class Memory {
 public:
  // Until the next call. None: more than is kept for that.
  const yyjson_alc* for_text(std::size_t length) {
    const std::size_t needed = yyjson_read_max_memory_usage(length, 0);
    if (needed > kMost) return nullptr;
    if (size_ < needed) {
      size_ = std::max(2 * needed, std::size_t{16} << 10U);
      bytes_ = std::make_unique_for_overwrite<char[]>(size_);
    }
    return yyjson_alc_pool_init(&allocator_, bytes_.get(), size_) ? &allocator_ : nullptr;
  }

 private:
  static constexpr std::size_t kMost = std::size_t{1} << 20U;
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  yyjson_alc allocator_{};
};

// What is shown of a value in a message about it.
std::string shown(yyjson_val* value) {
  constexpr std::size_t kMost = 40;
  if (!yyjson_is_str(value)) return std::string("a value of type ") + yyjson_get_type_desc(value);
  const std::string_view text = text_of(value);
  return std::format("'{}'{}", text.substr(0, kMost), text.size() > kMost ? "..." : "");
}

class Reader {
 public:
  ParsedEntries take(std::string_view body) {
    to_.reserve(body.size());
    const std::size_t begin = body.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) {
      blame("", "the body is empty; an entry, an array of entries, or an entry a line is expected");
    } else if (body[begin] == '[') {
      take_array(body);
    } else if (!is_one(body.substr(begin))) {
      take_lines(body);
    }
    if (!parsed_.faults.empty()) parsed_.payloads.clear();
    return std::move(parsed_);
  }

 private:
  void blame(std::string field, std::string message) {
    if (parsed_.faults.size() < kFaultsMax) parsed_.faults.push_back({entry_, std::move(field), std::move(message)});
  }
  // Valid until the next is read.
  Document read(std::string_view text, yyjson_read_err& error) {
    return Document(
        yyjson_read_opts(const_cast<char*>(text.data()), text.size(), 0, memory_.for_text(text.size()), &error));
  }

  void take_array(std::string_view body) {
    yyjson_read_err error{};
    const Document document = read(body, error);
    if (!document) return blame("", std::format("no JSON at byte {}: {}", error.pos, error.msg));
    yyjson_arr_iter iterator = yyjson_arr_iter_with(yyjson_doc_get_root(document.get()));
    if (!yyjson_arr_iter_has_next(&iterator)) blame("", "the array is empty");
    while (yyjson_val* entry = yyjson_arr_iter_next(&iterator)) ++entry_, take_entry(entry);
  }
  // Takes a body that is one value over several lines.
  bool is_one(std::string_view body) {
    const std::size_t end = std::min(body.find('\n'), body.size());
    yyjson_read_err error{};
    if (end == body.size() || read(body.substr(0, end), error)) return false;
    const Document document = read(body, error);
    if (!document) return false;
    entry_ = 1;
    take_entry(yyjson_doc_get_root(document.get()));
    return true;
  }
  void take_lines(std::string_view body) {
    while (!body.empty()) {
      const std::size_t end = std::min(body.find('\n'), body.size());
      const std::string_view line = body.substr(0, end);
      body.remove_prefix(std::min(end + 1, body.size()));
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      ++entry_;
      yyjson_read_err error{};
      if (const Document document = read(line, error))
        take_entry(yyjson_doc_get_root(document.get()));
      else
        blame("", std::format("no JSON at byte {} of its line: {}", error.pos, error.msg));
    }
  }

  void take_entry(yyjson_val* entry) {
    if (!yyjson_is_obj(entry)) return blame("", std::format("it is {}, and should be an object", shown(entry)));
    const std::size_t before = parsed_.faults.size();
    const Values values = find_fields(entry);
    for (std::size_t field = 0; field < kFields.size(); ++field)
      if (values[field] != nullptr)
        take_field(field, values[field]);
      else if (field < kRequired)
        blame(std::string(kFields[field]), "it is missing");
    to_ += '}';
    const std::size_t length = parsed_.payloads.open_size();
    if (length > kPayloadMax) blame("", std::format("{} bytes; {} is the most of an entry", length, kPayloadMax));
    if (parsed_.faults.size() != before || parsed_.faults.size() == kFaultsMax)
      parsed_.payloads.take_back();
    else
      parsed_.payloads.end_one();
  }

  Values find_fields(yyjson_val* entry) {
    Values values{};
    yyjson_obj_iter iterator = yyjson_obj_iter_with(entry);
    while (yyjson_val* key = yyjson_obj_iter_next(&iterator)) {
      const std::size_t field = field_of(text_of(key));
      if (field == kFields.size()) {
        blame(std::string(text_of(key).substr(0, kNameMax)),
              "no field of an entry; what else there is to say goes into 'attributes'");
        continue;
      }
      if (values[field] != nullptr) blame(std::string(kFields[field]), "it stands there twice");
      values[field] = yyjson_obj_iter_get_val(key);
    }
    return values;
  }

  void take_field(std::size_t field, yyjson_val* value) {
    to_ += kBefore[field];
    if (field == kAttributes) return take_attributes(value);
    if (std::string wrong = fault_of(field, value); !wrong.empty())
      return blame(std::string(kFields[field]), std::move(wrong));
    append_json_text(to_, text_of(value));
  }

  // Empty: it is as it should be.
  static std::string fault_of(std::size_t field, yyjson_val* value) {
    if (!yyjson_is_str(value)) return std::format("{}, and should be a text", shown(value));
    const std::string_view text = text_of(value);
    if (field == kTimestamp)
      return entry_time(text) ? "" : std::format("{} is no instant like 2025-08-25T10:00:00Z (RFC 3339)", shown(value));
    if (field == kLevel)
      return entry_level(text) ? "" : std::format("{} is none of DEBUG, INFO, WARNING, ERROR, CRITICAL", shown(value));
    if (field == kMessage)
      return text.size() <= kMessageMax
                 ? ""
                 : std::format("{} bytes; {} is the most of a message", text.size(), kMessageMax);
    return is_name(text)
               ? ""
               : std::format("{} is no name: letters, digits and ._-/: , at most {} of them", shown(value), kNameMax);
  }

  void take_attributes(yyjson_val* value) {
    if (!yyjson_is_obj(value)) return blame("attributes", std::format("{}, and should be an object", shown(value)));
    if (yyjson_obj_size(value) > kAttributesMax)
      return blame("attributes", std::format("{} of them; {} is the most", yyjson_obj_size(value), kAttributesMax));
    to_ += '{';
    yyjson_obj_iter iterator = yyjson_obj_iter_with(value);
    while (yyjson_val* key = yyjson_obj_iter_next(&iterator)) {
      yyjson_val* attribute = yyjson_obj_iter_get_val(key);
      if (std::string wrong = fault_of_attribute(key, attribute); !wrong.empty()) {
        blame("attributes." + std::string(text_of(key).substr(0, kNameMax)), std::move(wrong));
        continue;
      }
      if (to_.back() != '{') to_ += ',';
      append_json_text(to_, text_of(key));
      to_ += ':';
      append_attribute(attribute);
    }
    to_ += '}';
  }

  // REQUIRES: no container.
  void append_attribute(yyjson_val* value) {
    if (yyjson_is_str(value)) return append_json_text(to_, text_of(value));
    if (yyjson_is_real(value)) return append_json_number(to_, yyjson_get_real(value));
    if (yyjson_is_uint(value)) return append_json_number(to_, yyjson_get_uint(value));
    if (yyjson_is_sint(value)) return append_json_number(to_, yyjson_get_sint(value));
    to_ += yyjson_is_null(value) ? "null" : yyjson_get_bool(value) ? "true" : "false";
  }

  static std::string fault_of_attribute(yyjson_val* key, yyjson_val* value) {
    if (!is_name(text_of(key))) return std::format("{} is no name", shown(key));
    if (yyjson_is_ctn(value))
      return std::format("{}, and should be a text, a number, true, false or null", shown(value));
    if (yyjson_is_str(value) && yyjson_get_len(value) > kMessageMax)
      return std::format("{} bytes; {} is the most of a text", yyjson_get_len(value), kMessageMax);
    return "";
  }

  ParsedEntries parsed_;
  std::string& to_ = parsed_.payloads.bytes();
  std::size_t entry_ = 0;
  Memory memory_;
};

}  // namespace

ParsedEntries parse_entries(std::string_view body) { return Reader().take(body); }

}  // namespace rltune::telemetry
