// A PlantLink moves tag values between a plant and the io role: OpcuaLink, FakeLink (testing/), and later
// MQTT, Modbus and BACnet.
//
// Threads: the link runs its protocol on a thread of its own; every function here belongs to the one
//          thread that opened it. Nothing calls back into the caller.
// Time:    poll() returns at once or within `timeout`; write() within Options of the link.
// Memory:  open() allocates; poll() and write() do not, on the caller's side.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/breaker.hpp"
#include "rltune/base/error.hpp"
#include "rltune/base/sample.hpp"

namespace rltune::plant {

// A tag to connect: where it lives and what it must be.
struct TagBinding {
  std::string name;  // the site's name for it
  std::string node;  // OPC UA: "nsu=<namespace URI>;s=<identifier>", optional "[3]" element, ".Field"
  std::string unit;  // must equal the server's EngineeringUnits where it has them
  bool writable = false;
  std::size_t elements = 1;  // > 1: an array tag (forecasts)
};

enum class LinkState : std::uint8_t { connecting, connected, stale, disconnected, refused };

struct LinkStatus {
  LinkState state = LinkState::connecting;
  std::uint64_t reconnects = 0;
  std::uint64_t renewals = 0;   // sessions replaced by one with another certificate of ours, without a gap
  std::uint64_t overflows = 0;  // samples the server or our queue dropped, counted
  std::uint64_t writes_failed = 0;
  std::string reason;        // of the last failure, for people
  Breaker::Figures circuit;  // of its attempts to connect
};

// What became of one write.
struct WriteOutcome {
  bool accepted = false;  // the server's status was good
  bool verified = false;  // read back equal within the tag's tolerance
  std::uint32_t status = 0;
  double read_back = 0.0;
  Duration latency{};  // write sent to acknowledged
};

class PlantLink {
 public:
  virtual ~PlantLink() = default;

  // Connects and resolves `tags`; their order fixes Sample::tag. Returns when every tag has answered or
  // with the first named error: not_found (tag), mismatch (type, unit), denied (certificate, password),
  // timeout. After success the link reconnects by itself.
  virtual Result<> open(std::span<const TagBinding> tags) = 0;
  virtual void close() noexcept = 0;

  // Takes the samples that arrived, oldest first, at most out.size(); waits for the first one up to
  // `timeout`. Returns how many. Outages show as Quality::bad samples and in status().
  virtual std::size_t poll(std::span<Sample> out, std::chrono::milliseconds timeout) noexcept = 0;

  // Writes values to writable tags in one request and reads them back. outcomes.size() == tags.size().
  // Returns false when the link is down or the time is up: outcomes then say which were accepted.
  virtual bool write(std::span<const std::uint32_t> tags, std::span<const double> values,
                     std::span<WriteOutcome> outcomes) noexcept = 0;

  virtual LinkStatus status() const = 0;

  // Readable (level-triggered, an eventfd) while samples wait: so that io sleeps on the link and the bus at once.
  virtual int descriptor() const noexcept = 0;
};

}  // namespace rltune::plant
