// One stream of a receiver: what was received, which of it is new, and where it goes on to. Internal.
//
// Threads: everything from any.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "marks.hpp"
#include "received.hpp"
#include "rltune/receive/receiver.hpp"
#include "rltune/telemetry/intake.hpp"

namespace rltune::receive {

class Stream {
 public:
  // `clock` outlives it.
  static Result<std::unique_ptr<Stream>> open(const std::string& name, const std::string& own_id, StreamMarks marks,
                                              const ReceiverOptions& options, const Clock& clock);

  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // `refused`: what was wrong with records that are not in the batch any more.
  void take(const forward::Batch& batch, std::vector<std::pair<std::string, std::string>> refused,
            const Receiver::Reply& reply);

  StreamMarks marks() const;
  Counts counts() const;
  Result<> writable() const { return intake_->writable(); }
  void add_figures(std::vector<Receiver::SinkFigures>& to);

 private:
  struct Sending {
    std::string sink;
    std::unique_ptr<forward::Forwarder> forwarder;
  };
  Stream(std::string name, StreamMarks marks, std::unique_ptr<telemetry::Intake> intake)
      : name_(std::move(name)), marks_(std::move(marks)), intake_(std::move(intake)) {}
  Result<> start_forwarders(const std::string& own_id, const ReceiverOptions& options, const Clock& clock);
  void settle(const forward::Batch& batch, const std::vector<Received>& fresh,
              const Result<telemetry::SequenceRange>& committed);
  bool is_under_way(const forward::Batch& batch) const;
  std::uint64_t taken_by_all();

  const std::string name_;
  // The forwarders read from the intake, and the intake's thread tells them: they end first, and it outlives the list.
  std::mutex sendings_mutex_;
  std::vector<Sending> sendings_;
  std::uint64_t taken_by_all_ = 0;
  bool closing_ = false;

  mutable std::mutex mutex_;
  StreamMarks marks_;
  std::multimap<std::string, telemetry::SequenceRange> under_way_;  // by source: being made durable
  Counts counts_;
  std::unique_ptr<telemetry::Intake> intake_;
};

}  // namespace rltune::receive
