// A PlantLink over OPC UA: encrypted, verified, by subscription, reconnecting by itself.
//
// Values: booleans are 0 and 1, enumerations their number, DateTime seconds since 1970 (UTC). A value that
//         is NaN or infinite arrives as Quality::bad with value NaN.
// Times:  a tag's source times never decrease: where a server goes back (a restart sends an old value
//         again, or its clock was set), the sample gets the tag's last time, so that nobody downstream takes
//         the present for history. Samples of a backfilled outage keep their own, older times.
// Loss:   within inactivity_timeout of the last sign of life every element of every tag gets one bad sample
//         (status BadNoCommunication); the state says stale (a server that hangs), disconnected or refused.
// Writes: refused without asking the server: not writable, not finite, outside the node's data type.
//         WriteOutcome::latency runs from sending the request to its acknowledgement.
#pragma once

#include <memory>

#include "rltune/plant/opcua_options.hpp"
#include "rltune/plant/plant_link.hpp"

namespace rltune::plant {

class OpcuaLink final : public PlantLink {
 public:
  explicit OpcuaLink(OpcuaOptions options);
  ~OpcuaLink() override;
  OpcuaLink(const OpcuaLink&) = delete;
  OpcuaLink& operator=(const OpcuaLink&) = delete;

  Result<> open(std::span<const TagBinding> tags) override;
  void close() noexcept override;
  std::size_t poll(std::span<Sample> out, std::chrono::milliseconds timeout) noexcept override;
  bool write(std::span<const std::uint32_t> tags, std::span<const double> values,
             std::span<WriteOutcome> outcomes) noexcept override;
  LinkStatus status() const override;
  int descriptor() const noexcept override;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace rltune::plant
