#include "rltune/access/guessable_password.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace rltune::access {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<std::string> kHere{"RLTune", "North House 7", "ada", "Ada Lovelace-King"};

std::string why(const std::string& password) {
  const auto verdict = check_not_guessable(password, kHere);
  return verdict ? "" : verdict.error().message;
}

TEST(GuessablePassword, common_and_breached_ones_are_refused) {
  for (const char* common : {"password1234", "iloveyou1234", "letmeinletmein", "administrator1", "Passw0rd!Passw0rd!",
                             "unbelievable", "mississippi1", "summer2026!!"})
    EXPECT_THAT(why(common), HasSubstr("guessed")) << common;
  EXPECT_THAT(why("administrator1"), HasSubstr("common words and passwords"));
}

TEST(GuessablePassword, words_of_this_place_count_for_nothing) {
  for (const char* named : {"rltune-north-house", "RLTune RLTune", "North House 7", "AdaLovelace1", "adalovelace2026",
                            "L0velace-King7", "northhouse2026!"})
    EXPECT_THAT(why(named), HasSubstr("names of this site")) << named;
  EXPECT_EQ(why("north of the barking vents"), "") << "beside words enough they do no harm";
}

TEST(GuessablePassword, repeats_and_rows_are_refused) {
  for (const char* simple :
       {"aaaaaaaaaaaa", "            ", "abcdefghijkl", "123456789012", "zaq12wsxcde3", "abababababababababab"})
    EXPECT_THAT(why(simple), HasSubstr("guessed")) << simple;
  EXPECT_THAT(why("abcdefghijkl"), HasSubstr("repeats, rows"));
}

TEST(GuessablePassword, what_people_put_together_is_taken) {
  for (const char* good : {"correct horse battery", "vents rattle at dawn", "tomatoes in the north wing",
                           "xkQ82mvPq0aZ", "a few words of mine", "Gewächshaus voller Tomaten und Pilze"})
    EXPECT_EQ(why(good), "") << good;
}

TEST(GuessablePassword, the_reason_does_not_hold_the_password) {
  EXPECT_THAT(why("iloveyou1234"), Not(HasSubstr("iloveyou")));
  EXPECT_THAT(why("adalovelace2026"), Not(HasSubstr("lovelace")));
}

TEST(GuessablePassword, bytes_of_any_kind_are_judged) {
  EXPECT_NE(why(std::string(128, 'x')), "");
  EXPECT_EQ(check_not_guessable("xkQ82mvPq0aZ", {}).has_value(), true);
  std::string all;
  for (int byte = 1; byte < 129; ++byte) all += static_cast<char>(byte * 37 % 255 + 1);
  EXPECT_EQ(why(all), "");
}

}  // namespace
}  // namespace rltune::access
