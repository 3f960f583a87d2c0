#include "node_path.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rltune::plant {
namespace {

using ::testing::HasSubstr;

NodePath only(std::string_view text) {
  const auto readings = parse_node_path(text);
  EXPECT_TRUE(readings) << readings.error().message;
  EXPECT_EQ(readings->size(), 1u) << text;
  return readings->front();
}

TEST(NodePath, reads_every_kind_of_identifier) {
  EXPECT_EQ(only("nsu=urn:a:b;s=Air"),
            (NodePath{.namespace_uri = "urn:a:b", .identifier = "Air", .element = {}, .fields = {}}));
  EXPECT_EQ(only("i=2258").kind, NodePath::Kind::numeric);
  EXPECT_EQ(only("i=2258").namespace_uri, "");
  EXPECT_EQ(only("nsu=u;g=09087e75-8e5e-499b-954f-f2a9603db28a").kind, NodePath::Kind::guid);
  EXPECT_EQ(only("nsu=u;b=M/RbKBsRVkePCePcx24oRA==").identifier, "M/RbKBsRVkePCePcx24oRA==");
}

TEST(NodePath, reads_elements_and_fields_behind_a_number) {
  const auto path = only("nsu=u;i=7[3].Range.Low");
  EXPECT_EQ(path.identifier, "7");
  EXPECT_EQ(path.element, 3u);
  EXPECT_THAT(path.fields, ::testing::ElementsAre("Range", "Low"));
}

// Kepware and others put dots and brackets into string identifiers.
TEST(NodePath, offers_every_reading_of_a_string_identifier_longest_first) {
  const auto readings = *parse_node_path("nsu=u;s=Channel1.Device.Tag[3]");
  ASSERT_EQ(readings.size(), 2u);
  EXPECT_EQ(readings[0].identifier, "Channel1.Device.Tag[3]");
  EXPECT_FALSE(readings[0].element);
  EXPECT_EQ(readings[1].identifier, "Channel1.Device.Tag");
  EXPECT_EQ(readings[1].element, 3u);
  const auto dotted = *parse_node_path("nsu=u;s=A.B.C");
  ASSERT_EQ(dotted.size(), 3u);
  EXPECT_EQ(dotted[0].identifier, "A.B.C");
  EXPECT_EQ(dotted[2].identifier, "A");
  EXPECT_THAT(dotted[2].fields, ::testing::ElementsAre("B", "C"));
}

TEST(NodePath, keeps_semicolons_of_identifiers_and_unescapes_those_of_namespaces) {
  EXPECT_EQ(only("nsu=urn:a%3Bb%25c;s=x;y=z").namespace_uri, "urn:a;b%c");
  EXPECT_EQ(only("nsu=urn:a;s=x;y=z").identifier, "x;y=z");
  EXPECT_EQ(only("nsu=http://h/a;b/;i=5").namespace_uri, "http://h/a;b/");
}

TEST(NodePath, writes_what_it_reads) {
  for (const char* text : {"nsu=urn:a%3Bb%25c;s=x", "i=85", "nsu=u;i=7[3].Low", "nsu=u;b=QUJD"})
    EXPECT_EQ(format_node_path(parse_node_path(text)->front()), text);
}

TEST(NodePath, refuses_what_is_none_with_an_example) {
  for (const char* text :
       {"", "x", "Air", "ns=2;s=Air", "nsu=;s=x", "nsu=u", "nsu=u;s=", "nsu=u;x=1", "i=", "i=-1", "i=4294967296",
        "i=1x", "g=09087e75", "nsu=u;i=7[3", "nsu=u;i=7[-1]", "nsu=u;i=7[3]Low", "nsu=u;i=7."}) {
    const auto readings = parse_node_path(text);
    ASSERT_FALSE(readings) << text;
    EXPECT_EQ(readings.error().code, Errc::parse);
    EXPECT_THAT(readings.error().message, HasSubstr("nsu=urn:example:plant;s=Temperature"));
  }
  EXPECT_FALSE(parse_node_path("nsu=u;s=" + std::string(5000, 'x')));
}

}  // namespace
}  // namespace rltune::plant
