#include "decision_codec.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <format>

#include "rltune/base/check.hpp"
#include "rltune/base/sha256.hpp"

namespace rltune::historian {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian; swap here");

// Version 1 had no reason and ended with the outputs, version 2 had no recurrent state.
constexpr std::uint8_t kVersion = kDecisionLogFormat;
constexpr std::size_t kSealBytes = 8;
constexpr std::size_t kOutputBytes = 26, kSeenBytes = 12;

template <typename Number>
void put(std::string& out, Number value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof bytes);
}

void put_text(std::string& out, std::string_view text) {
  RLTUNE_CHECK(text.size() <= 0xFFFFU);
  put(out, static_cast<std::uint16_t>(text.size()));
  out += text;
}

template <typename Number>
void put_numbers(std::string& out, const std::vector<Number>& values) {
  put(out, static_cast<std::uint32_t>(values.size()));
  out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Number));
}

// Takes from the front of the body; every take fails once the bytes end.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  template <typename Number>
  bool take(Number& value) {
    if (bytes_.size() < sizeof value) return false;
    bytes_.copy(reinterpret_cast<char*>(&value), sizeof value);
    bytes_.remove_prefix(sizeof value);
    return true;
  }
  bool take_text(std::string& text) {
    std::uint16_t size = 0;
    if (!take(size) || bytes_.size() < size) return false;
    text.assign(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return true;
  }
  bool take_duration(Duration& duration) {
    std::int64_t nanoseconds = 0;
    if (!take(nanoseconds)) return false;
    duration = Duration(nanoseconds);
    return true;
  }
  template <typename Number>
  bool take_numbers(std::vector<Number>& values) {
    std::uint32_t count = 0;
    if (!take(count) || bytes_.size() / sizeof(Number) < count) return false;  // before anything is reserved
    values.resize(count);
    bytes_.copy(reinterpret_cast<char*>(values.data()), count * sizeof(Number));
    bytes_.remove_prefix(count * sizeof(Number));
    return true;
  }
  bool empty() const { return bytes_.empty(); }
  std::size_t left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
};

void put_output(std::string& out, const DecisionOutput& output, const NumberOf& number_of) {
  put(out, number_of(output.tag));
  put(out,
      static_cast<std::uint8_t>((output.present ? 1U : 0U) | (output.written ? 2U : 0U) | (output.verified ? 4U : 0U)));
  put(out, output.action);
  put(out, output.reasons);
  put(out, output.proposed);
  put(out, output.applied);
}

Result<> take_output(Cursor& cursor, const NameOf& name_of, DecisionOutput& output) {
  std::uint32_t number = 0;
  std::uint8_t flags = 0;
  if (!cursor.take(number) || !cursor.take(flags) || !cursor.take(output.action) || !cursor.take(output.reasons) ||
      !cursor.take(output.proposed) || !cursor.take(output.applied))
    return fail(Errc::corrupt, "an output is cut short");
  auto name = name_of(number);
  if (!name) return fail(Errc::corrupt, std::format("tag number {} has no name", number));
  output.tag = std::move(*name);
  output.present = (flags & 1U) != 0;
  output.written = (flags & 2U) != 0;
  output.verified = (flags & 4U) != 0;
  return {};
}

Result<> take_seen(Cursor& cursor, const NameOf& name_of, std::uint8_t version, Decision& decision) {
  std::uint8_t learnable = 0;
  std::uint16_t count = 0;
  if (!cursor.take(learnable) || !cursor.take(count) || cursor.left() < count * kSeenBytes)
    return fail(Errc::corrupt, "its length is not what it says");
  decision.learnable = learnable != 0;
  decision.seen.resize(count);
  for (SeenValue& seen : decision.seen) {
    std::uint32_t number = 0;
    cursor.take(number);
    cursor.take(seen.value);
    auto name = name_of(number);
    if (!name) return fail(Errc::corrupt, std::format("tag number {} has no name", number));
    seen.tag = std::move(*name);
  }
  std::vector<double> explored;
  if (!cursor.take_numbers(explored) || (version > 2 && !cursor.take_numbers(decision.recurrent_state)) ||
      !cursor.empty() || (!explored.empty() && explored.size() != decision.outputs.size()))
    return fail(Errc::corrupt, "its length is not what it says");
  for (std::size_t i = 0; i < explored.size(); ++i) decision.outputs[i].explored = explored[i];
  return {};
}

Result<> take_fields(Cursor& cursor, const NameOf& name_of, std::uint8_t version, Decision& decision) {
  std::uint16_t outputs = 0;
  const bool whole = cursor.take_text(decision.correlation_id) && cursor.take_text(decision.user) &&
                     (version == 1 || cursor.take_text(decision.reason)) &&
                     cursor.take_duration(decision.sample_to_proposal) && cursor.take_duration(decision.proposal) &&
                     cursor.take_duration(decision.verdict) && cursor.take_duration(decision.sample_to_write) &&
                     cursor.take_duration(decision.write_acknowledged) && cursor.take_numbers(decision.observation) &&
                     cursor.take_numbers(decision.previous_inputs) && cursor.take_numbers(decision.network_output) &&
                     cursor.take(outputs);
  if (!whole || cursor.left() < outputs * kOutputBytes) return fail(Errc::corrupt, "its length is not what it says");
  decision.outputs.resize(outputs);
  for (DecisionOutput& output : decision.outputs)
    if (auto taken = take_output(cursor, name_of, output); !taken) return taken;
  if (version > 1) return take_seen(cursor, name_of, version, decision);
  return cursor.empty() ? Result<>{} : fail(Errc::corrupt, "its length is not what it says");
}

}  // namespace

std::string seal_of(const Decision& decision, std::string_view body) {
  std::string sealed =
      std::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n", decision.id, decision.time.time_since_epoch().count(),
                  decision.wall_time.time_since_epoch().count(), decision.agent, decision.policy_sha256,
                  decision.origin, decision.mode);
  if (static_cast<std::uint8_t>(body.front()) > 1) {
    for (const DecisionOutput& output : decision.outputs) sealed += output.tag + "\n";
    for (const SeenValue& seen : decision.seen) sealed += seen.tag + "\n";
  }
  sealed += body;
  const std::string digits = sha256(sealed);
  std::string seal;
  for (std::size_t i = 0; i < kSealBytes; ++i) {
    std::uint8_t byte = 0;
    std::from_chars(digits.data() + 2 * i, digits.data() + 2 * i + 2, byte, 16);
    seal.push_back(static_cast<char>(byte));
  }
  return seal;
}

std::string encode_body(const Decision& decision, const NumberOf& number_of) {
  std::string out;
  put(out, kVersion);
  put_text(out, decision.correlation_id);
  put_text(out, decision.user);
  put_text(out, decision.reason);
  for (const Duration duration : {decision.sample_to_proposal, decision.proposal, decision.verdict,
                                  decision.sample_to_write, decision.write_acknowledged})
    put(out, static_cast<std::int64_t>(duration.count()));
  put_numbers(out, decision.observation);
  put_numbers(out, decision.previous_inputs);
  put_numbers(out, decision.network_output);
  RLTUNE_CHECK(decision.outputs.size() <= 0xFFFFU);
  put(out, static_cast<std::uint16_t>(decision.outputs.size()));
  for (const DecisionOutput& output : decision.outputs) put_output(out, output, number_of);
  put(out, static_cast<std::uint8_t>(decision.learnable ? 1 : 0));
  RLTUNE_CHECK(decision.seen.size() <= 0xFFFFU);
  put(out, static_cast<std::uint16_t>(decision.seen.size()));
  for (const SeenValue& seen : decision.seen) {
    put(out, number_of(seen.tag));
    put(out, seen.value);
  }
  std::vector<double> explored;
  if (std::ranges::any_of(decision.outputs, [](const auto& output) { return output.explored != 0.0; }))
    for (const DecisionOutput& output : decision.outputs) explored.push_back(output.explored);
  put_numbers(out, explored);
  put_numbers(out, decision.recurrent_state);
  return out + seal_of(decision, out);
}

Result<> decode_body(std::string_view body, const NameOf& name_of, Decision& decision) {
  if (body.size() < 1 + kSealBytes) return fail(Errc::corrupt, "it is cut short");
  const auto version = static_cast<std::uint8_t>(body[0]);
  if (version < 1 || version > kVersion)
    return fail(Errc::corrupt, std::format("its version is {}, known are 1 to {}", version, kVersion));
  const std::string_view fields = body.substr(0, body.size() - kSealBytes);
  Cursor cursor(fields.substr(1));
  if (auto taken = take_fields(cursor, name_of, version, decision); !taken) return taken;
  if (body.substr(fields.size()) != seal_of(decision, fields))
    return fail(Errc::corrupt, "its seal does not match: it was damaged or changed");
  return {};
}

}  // namespace rltune::historian
