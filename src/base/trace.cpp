#include "rltune/base/trace.hpp"

#include <sys/random.h>

#include <atomic>
#include <memory>

#include "rltune/base/bounded_queue.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/random.hpp"

namespace rltune::trace {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
// version-traceid-parentid-flags; a later version may go on behind another dash.
constexpr std::size_t kTraceIdAt = 3, kSpanIdAt = 36, kFlagsAt = 53, kSize = 55;
constexpr unsigned kSampled = 1;

std::unique_ptr<BoundedQueue<Record>> g_queue;  // stays: somebody may be about to record
std::atomic<BoundedQueue<Record>*> g_recording{nullptr};
std::atomic<double> g_ratio{0.0};
std::atomic<std::uint64_t> g_dropped{0};
thread_local Context t_current;

// The kernel's randomness once a thread; no system call afterwards.
Random& random_of_thread() noexcept {
  thread_local Random random = [] {
    std::uint64_t seed = 0;
    [[maybe_unused]] const ssize_t got = ::getrandom(&seed, sizeof seed, 0);
    return Random(seed);
  }();
  return random;
}

template <std::size_t size>
void fill_randomly(std::array<std::uint8_t, size>& bytes) noexcept {
  for (std::size_t i = 0; i < size; i += 8) {
    std::uint64_t bits = random_of_thread().bits();
    if (bits == 0) bits = 1;  // all zeros would be no id
    for (std::size_t byte = 0; byte < 8; ++byte) bytes[i + byte] = static_cast<std::uint8_t>(bits >> (8 * byte));
  }
}

// False when it is not that many lower-case digits.
bool parse_hex(std::string_view digits, std::span<std::uint8_t> bytes) noexcept {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t high = kDigits.find(digits[2 * i]), low = kDigits.find(digits[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return false;
    bytes[i] = static_cast<std::uint8_t>(16 * high + low);
  }
  return true;
}

void append_hex(std::span<const std::uint8_t> bytes, std::string& text) {
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
}

bool has_form(std::string_view text) noexcept {
  if (text.size() < kSize || text[2] != '-' || text[kSpanIdAt - 1] != '-' || text[kFlagsAt - 1] != '-') return false;
  if (text.starts_with("00")) return text.size() == kSize;
  return !text.starts_with("ff") && (text.size() == kSize || text[kSize] == '-');
}

}  // namespace

Context parse(std::string_view traceparent) noexcept {
  if (!has_form(traceparent)) return {};
  Context context;
  std::array<std::uint8_t, 1> version{}, flags{};
  const bool whole = parse_hex(traceparent, version) && parse_hex(traceparent.substr(kTraceIdAt), context.trace_id) &&
                     parse_hex(traceparent.substr(kSpanIdAt), context.span_id) &&
                     parse_hex(traceparent.substr(kFlagsAt), flags);
  if (!whole || !context.valid()) return {};
  context.sampled = (flags[0] & kSampled) != 0;
  return context;
}

std::string to_text(const Context& context) {
  if (!context.valid()) return {};
  std::string text;
  text.reserve(kSize);
  text += "00-";
  append_hex(context.trace_id, text);
  text += '-';
  append_hex(context.span_id, text);
  text += context.sampled ? "-01" : "-00";
  return text;
}

std::string trace_id_of(const Context& context) {
  std::string text;
  append_hex(context.trace_id, text);
  return text;
}

Scope::Scope(const Context& context) noexcept : before_(std::exchange(t_current, context)) {}
Scope::~Scope() { t_current = before_; }
const Context& current() noexcept { return t_current; }

Text::Text(std::string_view text) noexcept {
  std::size_t size = std::min(text.size(), kMax);
  while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
  std::ranges::copy(text.substr(0, size), bytes_.begin());
  size_ = static_cast<std::uint8_t>(size);
}

Span Span::root(std::string_view name, Kind kind) noexcept {
  Span span;
  if (!on() || !(random_of_thread().uniform() < g_ratio.load(std::memory_order_relaxed))) return span;
  Context before;
  fill_randomly(before.trace_id);
  before.span_id[0] = 1;
  before.sampled = true;
  span = child_of(before, name, kind);
  if (span) span.record_->parent = {};
  return span;
}

Span Span::child_of(const Context& parent, std::string_view name, Kind kind) noexcept {
  Span span;
  if (!parent.sampled || !parent.valid() || !on()) return span;
  Record& record = span.record_.emplace();
  record.name = Text(name);
  record.kind = kind;
  record.context = parent;
  fill_randomly(record.context.span_id);
  record.parent = parent.span_id;
  const WallClock clock;
  record.start = clock.now();
  span.began_ = clock.steady();
  return span;
}

Span& Span::operator=(Span&& other) noexcept {
  if (this == &other) return *this;
  end();
  record_ = std::exchange(other.record_, std::nullopt);
  began_ = other.began_;
  return *this;
}

Span& Span::set(const char* name, std::string_view text) noexcept {
  if (record_ && record_->attributes_count < Record::kAttributesMax)
    record_->attributes[record_->attributes_count++] = {.name = name, .text = Text(text)};
  return *this;
}

Span& Span::set(const char* name, double number) noexcept {
  if (record_ && record_->attributes_count < Record::kAttributesMax)
    record_->attributes[record_->attributes_count++] = {.name = name, .number = number, .is_number = true};
  return *this;
}

Span& Span::correlate(std::string_view id) noexcept {
  if (record_) record_->correlation_id = Text(id);
  return *this;
}

void Span::fail(std::string_view reason) noexcept {
  if (!record_) return;
  record_->failed = true;
  record_->reason = Text(reason);
}

void Span::end() noexcept {
  if (!record_) return;
  record_->took = WallClock().steady() - began_;
  record();
}

void Span::end(Duration ago, Duration took) noexcept {
  if (!record_) return;
  record_->start = WallClock().now() - ago;
  record_->took = took;
  record();
}

void Span::record() noexcept {
  if (record_->correlation_id.view().empty()) record_->correlation_id = Text(log::Correlation::current());
  BoundedQueue<Record>* queue = g_recording.load(std::memory_order_acquire);
  if (queue != nullptr && !queue->push(*record_)) g_dropped.fetch_add(1, std::memory_order_relaxed);
  record_.reset();
}

void start(const Settings& settings) {
  g_ratio.store(settings.sample_ratio, std::memory_order_relaxed);
  if (!g_queue) g_queue = std::make_unique<BoundedQueue<Record>>(settings.records_max);
  g_recording.store(g_queue.get(), std::memory_order_release);
}

void stop() noexcept { g_recording.store(nullptr, std::memory_order_release); }

bool on() noexcept { return g_recording.load(std::memory_order_relaxed) != nullptr; }

std::size_t take(std::span<Record> out) noexcept {
  std::size_t taken = 0;
  while (g_queue && taken < out.size() && g_queue->pop(out[taken])) ++taken;
  return taken;
}

std::uint64_t dropped() noexcept { return g_dropped.load(std::memory_order_relaxed); }

}  // namespace rltune::trace
