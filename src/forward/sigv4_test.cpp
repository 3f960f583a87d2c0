#include "sigv4.hpp"

#include <gtest/gtest.h>

namespace rltune::forward {
namespace {

const TimePoint kTime =
    std::chrono::sys_days(std::chrono::year(2015) / 8 / 30) + std::chrono::hours(12) + std::chrono::minutes(36);
constexpr const char* kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

std::string signature(const std::string& authorization) {
  return authorization.substr(authorization.find("Signature=") + 10);
}

// "Examples of the complete Signature Version 4 signing process", AWS General Reference: ListUsers of IAM.
TEST(Sigv4, list_users_of_iam_is_signed_as_amazon_documents) {
  const std::string authorization =
      sigv4_authorization("GET", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
                          {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                           {"Host", "iam.amazonaws.com"},
                           {"X-Amz-Date", amazon_time(kTime)}},
                          "", {"AKIDEXAMPLE", kSecret, "us-east-1", "iam"}, kTime);
  EXPECT_EQ(authorization,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date, "
            "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

// The Signature Version 4 test suite, of AWS: get-vanilla, get-vanilla-query-order-key-case, post-vanilla.
TEST(Sigv4, requests_of_the_test_suite_are_signed_as_it_says) {
  const auto sign = [](const std::string& method, const std::string& path) {
    return signature(sigv4_authorization(method, "https://example.amazonaws.com" + path,
                                         {{"host", "example.amazonaws.com"}, {"x-amz-date", amazon_time(kTime)}}, "",
                                         {"AKIDEXAMPLE", kSecret, "us-east-1", "service"}, kTime));
  };
  EXPECT_EQ(sign("GET", "/"), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  EXPECT_EQ(sign("GET", "/?Param2=value2&Param1=value1"),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
  EXPECT_EQ(sign("POST", "/"), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

TEST(Sigv4, a_host_has_its_port_and_no_user) {
  EXPECT_EQ(host_of("https://user:word@search.example:9200/_bulk?x=@"), "search.example:9200");
  EXPECT_EQ(host_of("https://search.example"), "search.example");
}

}  // namespace
}  // namespace rltune::forward
