// Batches by HTTP: encoded, compressed, authenticated, judged by the answer. Internal.
#pragma once

#include <filesystem>
#include <memory>

#include "encoding.hpp"
#include "rltune/base/clock.hpp"

namespace rltune::forward {

std::unique_ptr<Delivery> make_http_delivery(const config::Sink& sink, std::unique_ptr<Encoding> encoding,
                                             const std::filesystem::path& folder, const Clock& clock, Duration timeout);

}  // namespace rltune::forward
