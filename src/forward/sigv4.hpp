// AWS Signature Version 4 (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html) for
// every service but S3. Internal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/time.hpp"
#include "rltune/http/client.hpp"

namespace rltune::forward {

struct AwsCredentials {
  std::string key_id, secret, region, service;
};

// The value of `Authorization`. Signed are the headers given, host and x-amz-date, in lower case; `host` and
// `x-amz-date` are among them. The query of the URL is as it is sent, percent-encoded.
std::string sigv4_authorization(std::string_view method, std::string_view url, const std::vector<http::Header>& headers,
                                std::string_view body, const AwsCredentials& credentials, TimePoint now);

// "20150830T123600Z"
std::string amazon_time(TimePoint now);
// "host" or "host:port" of a URL, as the Host header has it.
std::string host_of(std::string_view url);

}  // namespace rltune::forward
