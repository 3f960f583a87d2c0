#include "rltune/access/password.hpp"

#include <gtest/gtest.h>

namespace rltune::access {
namespace {

constexpr const char* kWords = "vents rattle at dawn";

TEST(Password, a_hash_fits_its_password_alone) {
  const auto hash = hash_password(kWords);
  ASSERT_TRUE(hash);
  EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=65536,t=2,p=1$")) << *hash;
  EXPECT_TRUE(verify_password(kWords, *hash));
  EXPECT_FALSE(verify_password("vents rattle at dusk", *hash));
  EXPECT_FALSE(verify_password("", *hash));
  EXPECT_FALSE(needs_rehash(*hash));
}

TEST(Password, the_same_twice_has_two_hashes) {
  EXPECT_NE(hash_password(kWords).value(), hash_password(kWords).value());
}

TEST(Password, of_a_user_that_there_is_not_is_never_right) {
  EXPECT_FALSE(verify_password(kWords, ""));
  EXPECT_FALSE(verify_password("\x01nobody's", ""));
  EXPECT_FALSE(verify_password(kWords, "not a hash"));
  EXPECT_FALSE(verify_password(kWords, std::string(1000, '$')));
}

TEST(Password, a_hash_of_less_work_is_to_be_made_anew) {
  // argon2id with 8 MiB and one pass.
  EXPECT_TRUE(
      needs_rehash("$argon2id$v=19$m=8192,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$"
                   "Zm9yIHRlc3RzIG9ubHkuIGZvciB0ZXN0cyBvbmx5Lg"));
}

TEST(Password, its_form_is_a_length_and_nothing_else) {
  EXPECT_TRUE(check_password_form("a few words of mine"));
  EXPECT_TRUE(check_password_form("            "));
  EXPECT_FALSE(check_password_form("short"));
  EXPECT_FALSE(check_password_form(std::string(129, 'x')));
  EXPECT_FALSE(check_password_form(std::string("twelve\0bytes", 12)));
}

}  // namespace
}  // namespace rltune::access
