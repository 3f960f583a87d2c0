// Traces: which calls and steps belong to one decision, across roles. Contexts travel as W3C Trace Context has them
// (www.w3.org/TR/trace-context); spans are OpenTelemetry's. Roles record here, src/tracing sends what was recorded.
//
// Threads:      anything from any thread; start(), stop() and take() one at a time.
// Control path: off, a span costs a load. On, it neither locks, waits, allocates nor throws: what finds no room is
//               dropped and counted.
// Secrets never go in: names, not values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "rltune/base/time.hpp"

namespace rltune::trace {

using SpanId = std::array<std::uint8_t, 8>;

// Where in which trace somebody is.
struct Context {
  std::array<std::uint8_t, 16> trace_id{};
  SpanId span_id{};
  bool sampled = false;

  bool valid() const noexcept { return trace_id != Context().trace_id && span_id != SpanId(); }
  bool operator==(const Context&) const = default;
};

// Of "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01". Invalid where it is damaged or of no known form.
Context parse(std::string_view traceparent) noexcept;
std::string to_text(const Context& context);      // empty for an invalid one
std::string trace_id_of(const Context& context);  // 32 hexadecimal digits

// As long as it lives this thread works within `context`: its lines carry the trace's id, its calls take it along.
class Scope {
 public:
  explicit Scope(const Context& context) noexcept;
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  Context before_;
};
const Context& current() noexcept;

// At most kMax bytes; what is longer is cut between two characters.
class Text {
 public:
  static constexpr std::size_t kMax = 63;
  Text() = default;
  explicit Text(std::string_view text) noexcept;
  std::string_view view() const noexcept { return {bytes_.data(), size_}; }

 private:
  std::array<char, kMax> bytes_{};
  std::uint8_t size_ = 0;
};

enum class Kind : std::uint8_t { internal, server, client };

struct Attribute {
  const char* name = "";  // a constant
  Text text;
  double number = 0.0;
  bool is_number = false;
};

// What becomes of a span that has ended.
struct Record {
  static constexpr std::size_t kAttributesMax = 6;
  Text name;
  Kind kind = Kind::internal;
  Context context;
  SpanId parent{};  // zeros: it began the trace
  TimePoint start{};
  Duration took{};
  bool failed = false;
  Text reason, correlation_id;
  std::array<Attribute, kAttributesMax> attributes;
  std::size_t attributes_count = 0;
};

// A part of a trace under way; recorded when it ends. Most are empty: nothing is traced, or not this.
class Span {
 public:
  Span() = default;
  // Begins a trace, for as many of them as the ratio says.
  static Span root(std::string_view name, Kind kind = Kind::internal) noexcept;
  // Belongs to `parent`, if that is traced.
  static Span child_of(const Context& parent, std::string_view name, Kind kind = Kind::internal) noexcept;
  static Span child(std::string_view name, Kind kind = Kind::internal) noexcept {
    return child_of(current(), name, kind);
  }
  ~Span() { end(); }
  Span(Span&& other) noexcept : record_(std::exchange(other.record_, std::nullopt)), began_(other.began_) {}
  Span& operator=(Span&& other) noexcept;

  explicit operator bool() const noexcept { return record_.has_value(); }
  Context context() const noexcept { return record_ ? record_->context : Context(); }
  // `name`: a constant. A seventh attribute is left out.
  Span& set(const char* name, std::string_view text) noexcept;
  Span& set(const char* name, double number) noexcept;
  // Instead of the id of the call that is served when it ends.
  Span& correlate(std::string_view id) noexcept;
  void fail(std::string_view reason) noexcept;
  // Of a step that was timed as it happened: it began `ago`, and is over.
  void end(Duration ago, Duration took) noexcept;
  void end() noexcept;

 private:
  void record() noexcept;

  std::optional<Record> record_;
  Duration began_{};  // steady
};

struct Settings {
  double sample_ratio = 0.01;       // of the traces that begin here
  std::size_t records_max = 4'096;  // that wait for whoever takes them; the first start() says it for good
};
// From here on spans are recorded, until stop().
void start(const Settings& settings);
void stop() noexcept;
bool on() noexcept;

// The oldest records that wait, as many as there is room for.
std::size_t take(std::span<Record> out) noexcept;
std::uint64_t dropped() noexcept;  // since the process began

}  // namespace rltune::trace
