// A bucket of an S3-compatible server: requests by libcurl, which signs them (Signature Version 4), addressed by path.
#pragma once

#include "rltune/backup/offsite.hpp"

namespace rltune::backup {

Result<std::unique_ptr<Offsite>> open_s3_bucket(const OffsiteOptions& options);

}  // namespace rltune::backup
