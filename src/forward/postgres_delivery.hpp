// Batches into PostgreSQL, with TimescaleDB where it is there: tables rltune_logs and rltune_metrics, made when
// missing. Internal.
#pragma once

#include <filesystem>
#include <memory>

#include "rltune/config/telemetry.hpp"
#include "rltune/forward/batch.hpp"

namespace rltune::forward {

std::unique_ptr<Delivery> make_postgres_delivery(const config::Sink& sink, const std::filesystem::path& folder,
                                                 Duration timeout);

}  // namespace rltune::forward
