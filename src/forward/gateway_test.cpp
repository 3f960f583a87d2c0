#include "rltune/forward/gateway.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "memory_source.hpp"
#include "rltune/forward/gzip.hpp"

namespace rltune::forward {
namespace {

using ::testing::HasSubstr;

Batch batch_of(std::initializer_list<std::uint64_t> sequences) {
  Batch batch{.buffer_id = kBuffer, .site = "north", .stream = "logs", .range = {17, 19}};
  for (const std::uint64_t sequence : sequences)
    batch.records.push_back({.sequence = sequence,
                             .id = record_id(kBuffer, "logs", sequence),
                             .site = "north",
                             .unix_ns = 1'756'116'000'123'456'789,
                             .entry = R"({"message":"a \"b\" ü","level":"INFO"})"});
  return batch;
}

TEST(Gateway, a_batch_is_read_as_it_was_written) {
  const Batch batch = batch_of({17, 19});
  const auto read = parse_gateway(to_gateway(batch));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->id(), kBuffer + "/logs/17-19");
  EXPECT_EQ(read->site, "north");
  ASSERT_EQ(read->records.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(read->records[i].id, batch.records[i].id);
    EXPECT_EQ(read->records[i].unix_ns, batch.records[i].unix_ns);
    EXPECT_EQ(read->records[i].entry, batch.records[i].entry);
  }
}

TEST(Gateway, what_does_not_fit_together_is_refused_by_name) {
  const std::string good = to_gateway(batch_of({17, 18}));
  const auto fault_of = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    const auto read = parse_gateway(text);
    return read ? std::string("taken") : read.error().message;
  };
  EXPECT_THAT(fault_of(R"("first":17)", R"("first":16)"), HasSubstr("batch_id"));
  EXPECT_THAT(fault_of(R"("first":17)", R"("first":0)"), HasSubstr("first and last"));
  EXPECT_THAT(fault_of(R"("last":19)", R"("last":16)"), HasSubstr("first and last"));
  EXPECT_THAT(fault_of(R"("stream":"logs")", R"("stream":"traces")"), HasSubstr("stream"));
  EXPECT_THAT(fault_of(R"("site":"north")", R"("site":"../north")"), HasSubstr("site"));
  EXPECT_THAT(fault_of(R"("site":"north")", R"("site":"north","more":1)"), HasSubstr("an object of"));
  EXPECT_THAT(fault_of(R"("sequence":18)", R"("sequence":17)"), HasSubstr("records[1].sequence"));
  EXPECT_THAT(fault_of(R"("sequence":18)", R"("sequence":20)"), HasSubstr("records[1].sequence"));
  EXPECT_THAT(fault_of("-logs-18\"", "-logs-19\""), HasSubstr("records[1].id"));
  EXPECT_THAT(fault_of("\"received\":\"2025", "\"received\":\"x"), HasSubstr("records[0].received"));
  EXPECT_THAT(fault_of(R"("entry":{)", R"("entry":[],"e":{)"), HasSubstr("records[0]"));
  EXPECT_THAT(fault_of("]}", "]"), HasSubstr("no JSON"));
}

TEST(Gzip, what_comes_out_is_what_went_in_and_no_more_than_allowed) {
  const std::string text(100'000, 'x');
  const std::string zipped = gzip(text);
  EXPECT_LT(zipped.size(), 1000U);
  EXPECT_EQ(gunzip(zipped, 100'000).value(), text);
  EXPECT_EQ(gunzip(zipped, 99'999).error().code, Errc::no_space) << "a bomb";
  EXPECT_EQ(gunzip(zipped.substr(0, zipped.size() - 1), 200'000).error().code, Errc::parse);
  EXPECT_EQ(gunzip(zipped + "x", 200'000).error().code, Errc::parse);
  EXPECT_EQ(gunzip("no gzip", 200'000).error().code, Errc::parse);
  EXPECT_EQ(gunzip("", 200'000).error().code, Errc::parse);
  EXPECT_EQ(gunzip(gzip(""), 10).value(), "");
}

}  // namespace
}  // namespace rltune::forward
