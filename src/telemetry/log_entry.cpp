#include "rltune/telemetry/log_entry.hpp"

#include <yyjson.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <format>
#include <memory>
#include <utility>

#include "frame.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/time.hpp"

namespace rltune::telemetry {
namespace {

struct FreeDocument {
  void operator()(yyjson_doc* document) const noexcept { yyjson_doc_free(document); }
  void operator()(yyjson_mut_doc* document) const noexcept { yyjson_mut_doc_free(document); }
};
using Document = std::unique_ptr<yyjson_doc, FreeDocument>;
using Written = std::unique_ptr<yyjson_mut_doc, FreeDocument>;

constexpr std::array<std::string_view, 7> kFields{"timestamp",      "service", "level",     "message",
                                                  "correlation_id", "id",      "attributes"};

std::string_view text_of(yyjson_val* value) noexcept { return {yyjson_get_str(value), yyjson_get_len(value)}; }

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kNameMax && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-' || c == '/' || c == ':';
  });
}

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
    const std::size_t begin = body.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) {
      blame("", "the body is empty; an entry, an array of entries, or an entry a line is expected");
    } else if (body[begin] == '[') {
      take_array(body);
    } else if (!take_one(body)) {
      take_lines(body);
    }
    if (!parsed_.faults.empty()) parsed_.payloads.clear();
    return std::move(parsed_);
  }

 private:
  void blame(std::string field, std::string message) {
    if (parsed_.faults.size() < kFaultsMax) parsed_.faults.push_back({entry_, std::move(field), std::move(message)});
  }
  static Document read(std::string_view text, yyjson_read_err& error) {
    return Document(yyjson_read_opts(const_cast<char*>(text.data()), text.size(), 0, nullptr, &error));
  }

  void take_array(std::string_view body) {
    yyjson_read_err error{};
    const Document document = read(body, error);
    if (!document) return blame("", std::format("no JSON at byte {}: {}", error.pos, error.msg));
    yyjson_arr_iter iterator = yyjson_arr_iter_with(yyjson_doc_get_root(document.get()));
    if (!yyjson_arr_iter_has_next(&iterator)) blame("", "the array is empty");
    while (yyjson_val* entry = yyjson_arr_iter_next(&iterator)) ++entry_, take_entry(entry);
  }
  // False where the body is no single value.
  bool take_one(std::string_view body) {
    yyjson_read_err error{};
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
    refuse_unknown(entry);
    const Written written(yyjson_mut_doc_new(nullptr));
    yyjson_mut_val* root = yyjson_mut_obj(written.get());
    yyjson_mut_doc_set_root(written.get(), root);
    for (const std::string_view field : kFields)
      if (yyjson_val* value = yyjson_obj_getn(entry, field.data(), field.size()))
        take_field(field, value, written.get(), root);
      else if (field != "correlation_id" && field != "id" && field != "attributes")
        blame(std::string(field), "it is missing");
    if (parsed_.faults.size() != before || parsed_.faults.size() == kFaultsMax) return;
    std::size_t length = 0;
    const std::unique_ptr<char, decltype(&std::free)> text(yyjson_mut_write(written.get(), 0, &length), &std::free);
    if (length > kPayloadMax)
      return blame("", std::format("{} bytes; {} is the most of an entry", length, kPayloadMax));
    parsed_.payloads.add({text.get(), length});
  }

  void refuse_unknown(yyjson_val* entry) {
    std::array<int, kFields.size()> seen{};
    yyjson_obj_iter iterator = yyjson_obj_iter_with(entry);
    while (yyjson_val* key = yyjson_obj_iter_next(&iterator)) {
      const auto known = std::ranges::find(kFields, text_of(key));
      if (known == kFields.end())
        blame(std::string(text_of(key).substr(0, kNameMax)),
              "no field of an entry; what else there is to say goes into 'attributes'");
      else if (++seen[static_cast<std::size_t>(known - kFields.begin())] == 2)
        blame(std::string(*known), "it stands there twice");
    }
  }

  void take_field(std::string_view field, yyjson_val* value, yyjson_mut_doc* written, yyjson_mut_val* root) {
    if (field == "attributes") return take_attributes(value, written, root);
    if (const std::string wrong = fault_of(field, value); !wrong.empty()) return blame(std::string(field), wrong);
    yyjson_mut_obj_add_val(written, root, field.data(), yyjson_val_mut_copy(written, value));
  }

  // Empty: it is as it should be.
  static std::string fault_of(std::string_view field, yyjson_val* value) {
    if (!yyjson_is_str(value)) return std::format("{}, and should be a text", shown(value));
    const std::string_view text = text_of(value);
    if (field == "timestamp") {
      const bool is_instant = text.find('T') != std::string_view::npos && parse_rfc3339(text).has_value();
      return is_instant ? "" : std::format("{} is no instant like 2025-08-25T10:00:00Z (RFC 3339)", shown(value));
    }
    if (field == "level") {
      const auto level = log::parse_level(text);
      const bool is_level = level && text == log::name_of(*level);
      return is_level ? "" : std::format("{} is none of DEBUG, INFO, WARNING, ERROR, CRITICAL", shown(value));
    }
    if (field == "message")
      return text.size() <= kMessageMax
                 ? ""
                 : std::format("{} bytes; {} is the most of a message", text.size(), kMessageMax);
    return is_name(text)
               ? ""
               : std::format("{} is no name: letters, digits and ._-/: , at most {} of them", shown(value), kNameMax);
  }

  void take_attributes(yyjson_val* value, yyjson_mut_doc* written, yyjson_mut_val* root) {
    if (!yyjson_is_obj(value)) return blame("attributes", std::format("{}, and should be an object", shown(value)));
    if (yyjson_obj_size(value) > kAttributesMax)
      return blame("attributes", std::format("{} of them; {} is the most", yyjson_obj_size(value), kAttributesMax));
    yyjson_mut_val* attributes = yyjson_mut_obj(written);
    yyjson_obj_iter iterator = yyjson_obj_iter_with(value);
    while (yyjson_val* key = yyjson_obj_iter_next(&iterator)) {
      yyjson_val* attribute = yyjson_obj_iter_get_val(key);
      if (const std::string wrong = fault_of_attribute(key, attribute); !wrong.empty())
        blame("attributes." + std::string(text_of(key).substr(0, kNameMax)), wrong);
      else
        yyjson_mut_obj_add(attributes, yyjson_val_mut_copy(written, key), yyjson_val_mut_copy(written, attribute));
    }
    yyjson_mut_obj_add_val(written, root, "attributes", attributes);
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
  std::size_t entry_ = 0;
};

}  // namespace

ParsedEntries parse_entries(std::string_view body) { return Reader().take(body); }

}  // namespace rltune::telemetry
