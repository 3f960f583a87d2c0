// From telemetry.yaml to what takes batches there.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "rltune/base/clock.hpp"
#include "rltune/config/telemetry.hpp"
#include "rltune/forward/batch.hpp"
#include "rltune/forward/forwarder.hpp"

namespace rltune::forward {

// logs, metrics: what a sink says it takes, or else what its kind does.
std::vector<std::string> streams_of(const config::Sink& sink);

// `folder`: relative files of the sink are in it. A key that cannot be read is said at the first delivery, and looked
// for again at each: it may come later. Errors: unsupported: the kind, or the kind with this stream.
Result<std::unique_ptr<Delivery>> make_delivery(const config::Sink& sink, const std::string& stream,
                                                const std::filesystem::path& folder, const Clock& clock,
                                                Duration timeout = std::chrono::seconds(30));

// What the sink's fields say of a forwarder. `site`, `buffer_id` and `folder` are the caller's.
ForwarderOptions options_of(const config::Sink& sink, const std::string& stream);

// The key of a sink: its file (chmod 600), its environment variable, or RLTUNE_SINK_<NAME> and the systemd credential
// rltune-sink-<name>. Errors: not_found, denied, io, invalid_argument: more than one line; never with the key in them.
Result<std::string> secret_of(const config::Sink& sink, const std::filesystem::path& folder);

}  // namespace rltune::forward
