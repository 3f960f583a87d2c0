#include "opcua_value.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace rltune::plant {
namespace {

const UA_DataType* type(int index) { return &UA_TYPES[index]; }

TEST(OpcuaValue, numbers_survive_the_way_to_a_variant_and_back) {
  for (const int index :
       {UA_TYPES_SBYTE, UA_TYPES_BYTE, UA_TYPES_INT16, UA_TYPES_UINT16, UA_TYPES_INT32, UA_TYPES_UINT32, UA_TYPES_INT64,
        UA_TYPES_UINT64, UA_TYPES_FLOAT, UA_TYPES_DOUBLE, UA_TYPES_DATETIME}) {
    const auto variant = variant_of(100.0, type(index));
    ASSERT_TRUE(variant) << index;
    EXPECT_EQ(number_of((*variant)->data, (*variant)->type), 100.0) << index;
  }
}

TEST(OpcuaValue, nothing_leaves_the_range_of_its_type) {
  const std::vector<std::tuple<int, double, double>> ranges = {
      {UA_TYPES_BOOLEAN, 0.0, 1.0},        {UA_TYPES_SBYTE, -128.0, 127.0}, {UA_TYPES_BYTE, 0.0, 255.0},
      {UA_TYPES_INT16, -32768.0, 32767.0}, {UA_TYPES_UINT16, 0.0, 65535.0}, {UA_TYPES_INT32, -0x1p31, 0x1p31 - 1},
      {UA_TYPES_UINT32, 0.0, 0x1p32 - 1}};
  for (const auto& [index, low, high] : ranges) {
    EXPECT_TRUE(variant_of(low, type(index))) << index;
    EXPECT_TRUE(variant_of(high, type(index))) << index;
    EXPECT_FALSE(variant_of(low - 1.0, type(index))) << index;
    EXPECT_FALSE(variant_of(high + 1.0, type(index))) << index;
  }
  for (const double huge : {0x1p63, 0x1p64, 1e300}) EXPECT_FALSE(variant_of(huge, type(UA_TYPES_INT64)));
  EXPECT_TRUE(variant_of(-0x1p63, type(UA_TYPES_INT64)));
  EXPECT_FALSE(variant_of(0x1p64, type(UA_TYPES_UINT64)));
  EXPECT_FALSE(variant_of(1e39, type(UA_TYPES_FLOAT)));
  EXPECT_FALSE(variant_of(1e18, type(UA_TYPES_DATETIME)));
  for (int index = 0; index < UA_TYPES_COUNT; ++index) {
    EXPECT_FALSE(variant_of(std::nan(""), type(index)));
    EXPECT_FALSE(variant_of(-HUGE_VAL, type(index)));
  }
  EXPECT_EQ(variant_of(1.0, type(UA_TYPES_STRING)).error().code, Errc::unsupported);
}

TEST(OpcuaValue, integers_are_rounded_and_known_to_be) {
  EXPECT_EQ(number_of((*variant_of(2.6, type(UA_TYPES_INT16)))->data, type(UA_TYPES_INT16)), 3.0);
  EXPECT_EQ(as_stored(2.6, type(UA_TYPES_INT16)), 3.0);
  EXPECT_EQ(as_stored(0.1, type(UA_TYPES_FLOAT)), static_cast<double>(0.1f));
  EXPECT_EQ(as_stored(0.1, type(UA_TYPES_DOUBLE)), 0.1);
}

TEST(OpcuaValue, text_and_structures_are_no_numbers) {
  UA_String text = UA_STRING_NULL;
  EXPECT_FALSE(number_of(&text, type(UA_TYPES_STRING)));
  UA_Range range{1.0, 2.0};
  EXPECT_FALSE(number_of(&range, type(UA_TYPES_RANGE)));
  const std::vector<std::string> low{"Low"}, high{"High"}, lower{"Lower"}, deep{"Low", "Low"};
  // The library writes member names as the standard does.
  EXPECT_EQ(field_number(&range, type(UA_TYPES_RANGE), low), 1.0);
  EXPECT_EQ(field_number(&range, type(UA_TYPES_RANGE), high), 2.0);
  EXPECT_FALSE(field_number(&range, type(UA_TYPES_RANGE), lower));
  EXPECT_FALSE(field_number(&range, type(UA_TYPES_RANGE), deep));
}

TEST(OpcuaValue, statuses_have_qualities_and_names) {
  EXPECT_EQ(quality_of(0), Quality::good);
  EXPECT_EQ(quality_of(UA_STATUSCODE_GOODCLAMPED), Quality::good);
  EXPECT_EQ(quality_of(UA_STATUSCODE_UNCERTAINLASTUSABLEVALUE), Quality::uncertain);
  EXPECT_EQ(quality_of(UA_STATUSCODE_BADSENSORFAILURE), Quality::bad);
  EXPECT_EQ(quality_of(0xC0000000), Quality::bad);  // reserved: not to be trusted
  EXPECT_TRUE(has_overflow(0x480));
  EXPECT_FALSE(has_overflow(0x080));  // the bit means nothing without the type of info bits
  EXPECT_FALSE(has_overflow(0x400));
  EXPECT_EQ(status_name(UA_STATUSCODE_BADNODEIDUNKNOWN), "BadNodeIdUnknown");
}

TEST(OpcuaValue, units_are_compared_by_meaning) {
  EXPECT_TRUE(same_unit("degC", "°C"));
  EXPECT_TRUE(same_unit("W/m2", "W/m²"));
  EXPECT_TRUE(same_unit("kg/m^2", "kg/m2"));
  EXPECT_TRUE(same_unit("kg m-2", "kgm-2"));
  EXPECT_TRUE(same_unit("", "-"));
  EXPECT_FALSE(same_unit("°C", "K"));
  EXPECT_FALSE(same_unit("m", ""));
  EXPECT_FALSE(same_unit("kW", "W"));
  EXPECT_FALSE(same_unit("mW", "MW"));
  UA_EUInformation units;
  UA_EUInformation_init(&units);
  units.unitId = 4408652;  // 'C' 'E' 'L'
  units.displayName.text = UA_STRING(const_cast<char*>("Grad Celsius"));
  EXPECT_TRUE(same_unit("degC", units));
  EXPECT_FALSE(same_unit("K", units));
}

TEST(OpcuaValue, times_beyond_what_we_count_are_clamped) {
  EXPECT_EQ(from_ua_time(UA_DATETIME_UNIX_EPOCH), TimePoint{});
  EXPECT_EQ(to_ua_time(from_ua_time(UA_DATETIME_UNIX_EPOCH + 12345)), UA_DATETIME_UNIX_EPOCH + 12345);
  EXPECT_GT(from_ua_time(std::numeric_limits<std::int64_t>::max()), TimePoint{});
  EXPECT_LT(from_ua_time(0), TimePoint{});
  EXPECT_LT(from_ua_time(std::numeric_limits<std::int64_t>::min()), TimePoint{});
}

}  // namespace
}  // namespace rltune::plant
