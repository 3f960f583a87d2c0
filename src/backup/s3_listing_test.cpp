#include "s3_listing.hpp"

#include <gtest/gtest.h>

namespace rltune::backup {
namespace {

// As docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html shows an answer.
TEST(S3Listing, reads_a_page_and_where_the_next_one_begins) {
  const auto listing = parse_listing(R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Name>safe</Name><Prefix>north/</Prefix><NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=&amp;</NextContinuationToken>
  <KeyCount>2</KeyCount><MaxKeys>2</MaxKeys><IsTruncated>true</IsTruncated>
  <Contents><Key>north/a&amp;b</Key><LastModified>2026-01-02T03:00:00.000Z</LastModified><ETag>&quot;x&quot;</ETag><Size>434234</Size></Contents>
  <Contents><Key>north/c</Key><Size>0</Size><StorageClass>STANDARD</StorageClass></Contents>
</ListBucketResult>)");
  ASSERT_TRUE(listing) << listing.error().message;
  ASSERT_EQ(listing->objects.size(), 2U);
  EXPECT_EQ(listing->objects[0].key, "north/a&b");
  EXPECT_EQ(listing->objects[0].bytes, 434'234U);
  EXPECT_EQ(listing->next, "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=&");
}

TEST(S3Listing, refuses_what_is_no_list) {
  for (const char* text : {"", "<html>Sign in to the network</html>",
                           "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
                           "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
                           "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"})
    EXPECT_FALSE(parse_listing(text)) << text;
}

TEST(S3Listing, a_refusal_says_why_on_one_line) {
  EXPECT_EQ(reason_of("<Error><Code>SignatureDoesNotMatch</Code><Message>The\nrequest\x1b</Message></Error>"),
            "SignatureDoesNotMatch: The request ");
  EXPECT_EQ(reason_of("Bad Gateway"), "");
}

}  // namespace
}  // namespace rltune::backup
