#include "opcua_structure.hpp"

#include <gtest/gtest.h>

#include "tank_definition.hpp"

namespace rltune::plant {
namespace {

// "T1", open, history {0.5, 0.75}, level 1.25, as Part 6, 5.2.6 writes it.
std::string encoded_tank(bool with_level) {
  std::string bytes;
  const auto add = [&](auto value) { bytes.append(reinterpret_cast<const char*>(&value), sizeof value); };
  add(std::uint32_t(with_level ? 1 : 0));
  add(std::int32_t(2));
  bytes += "T1";
  add(std::uint8_t(1));
  add(std::int32_t(2));
  add(0.5f);
  add(0.75f);
  if (with_level) add(1.25);
  return bytes;
}

UA_ExtensionObject object_of(const std::string& bytes, UA_UInt32 encoding = 5001) {
  UA_ExtensionObject object{};
  object.encoding = UA_EXTENSIONOBJECT_ENCODED_BYTESTRING;
  object.content.encoded.typeId = UA_NODEID_NUMERIC(2, encoding);
  object.content.encoded.body = view_of(bytes);
  return object;
}

const std::vector<std::string> kLevel{"Level"}, kOpen{"Open"}, kName{"Name"}, kHistory{"History"}, kNone{"Depth"};

TEST(CustomStructure, numbers_are_found_behind_text_and_arrays) {
  const auto tank = CustomStructure::make(*tank_definition());
  ASSERT_TRUE(tank) << tank.error().message;
  const auto bytes = encoded_tank(true);
  const auto object = object_of(bytes);
  EXPECT_EQ((*tank)->number(object, kLevel), 1.25);
  EXPECT_EQ((*tank)->number(object, kOpen), 1.0);
  EXPECT_FALSE((*tank)->number(object, kName));
  EXPECT_FALSE((*tank)->number(object, kHistory));
  EXPECT_FALSE((*tank)->number(object, kNone));
}

TEST(CustomStructure, an_optional_field_that_is_not_there_is_no_number) {
  const auto bytes = encoded_tank(false);
  const auto tank = CustomStructure::make(*tank_definition());
  EXPECT_FALSE((*tank)->number(object_of(bytes), kLevel));
  EXPECT_EQ((*tank)->number(object_of(bytes), kOpen), 1.0);
}

TEST(CustomStructure, cut_bytes_and_other_types_are_no_numbers) {
  const auto tank = CustomStructure::make(*tank_definition());
  const auto bytes = encoded_tank(true);
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE((*tank)->number(object_of(bytes.substr(0, length)), kLevel)) << length;
  EXPECT_FALSE((*tank)->number(object_of(bytes, 5002), kLevel));
}

TEST(CustomStructure, unions_and_matrices_are_unsupported) {
  auto definition = tank_definition();
  definition->structureType = UA_STRUCTURETYPE_UNION;
  EXPECT_EQ(CustomStructure::make(*definition).error().code, Errc::unsupported);
  definition = tank_definition();
  definition->fields[2].valueRank = 2;
  EXPECT_EQ(CustomStructure::make(*definition).error().code, Errc::unsupported);
}

}  // namespace
}  // namespace rltune::plant
