#include "rltune/config/secret.hpp"

#include <gtest/gtest.h>

#include "example_kinds.hpp"

namespace rltune::config {
namespace {

constexpr const char* kSecrets[] = {
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ0ZXN0IiwibmFtZSI6IngifQ.c2lnbmF0dXJlLW9mLW5vYm9keQ",
    "AKIAABCDEFGHIJKLMNOP",
    "ghp_0123456789abcdefghij0123456789",
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$aGFzaA",
    "https://me:hunter2@example.com/x",
    "-----BEGIN PRIVATE KEY-----",
};

TEST(Secret, known_forms_are_known_and_plain_words_are_not) {
  for (const char* secret : kSecrets) EXPECT_NE(secret_in(secret), "") << secret;
  for (const char* plain : {"rltune", "opc.tcp://127.0.0.1:4840", "nsu=urn:pilot;s=temperature", "secrets/ada.hash",
                            "oncall@example.com", "0.1 * heating", "-----BEGIN CERTIFICATE-----"})
    EXPECT_EQ(secret_in(plain), "") << plain;
  EXPECT_TRUE(is_secret_name("api_token"));
  EXPECT_FALSE(is_secret_name("password_file"));
  EXPECT_FALSE(is_secret_name("spin"));
}

TEST(Secret, one_in_any_field_is_refused_and_never_repeated) {
  for (const char* secret : kSecrets)
    for (const auto& [from, field] : {std::pair{"name: pilot", "name: "},
                                      {"user: rltune", "user: "},
                                      {"period_s: 60", "period_s: "},
                                      {"enabled: true", "enabled: "},
                                      {"unit: degC", "unit: "},
                                      {"{heat: 0.1 * heating}", "{heat: "},
                                      {"name: pilot", "x"}}) {
      const std::string close = std::string(field) == "{heat: " ? "'}" : "'";
      std::string to = std::string(field) + "'" + secret + close;
      if (std::string(field) == "x") to = "'" + std::string(secret) + "': 1";
      const std::string faults = to_text("f", check(example_site_with(from, to)).faults);
      EXPECT_NE(faults, "") << to;
      EXPECT_EQ(faults.find(std::string(secret).substr(0, 25)), std::string::npos) << faults;
    }
}

TEST(Secret, redaction_hides_values_and_keeps_the_rest) {
  EXPECT_EQ(redact("user: rltune\npassword: hunter2\nlimit: 3"), "user: rltune\npassword: [redacted]\nlimit: 3");
  EXPECT_EQ(redact("+  api_token: abc"), "+  api_token: [redacted]");
  EXPECT_EQ(redact("url: https://me:hunter2@example.com"), "url: [redacted]");
  EXPECT_EQ(redact("x: AKIAABCDEFGHIJKLMNOP # key"), "x: [redacted]");
  EXPECT_EQ(redact("a\n-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\nb"),
            "a\n[redacted]\n[redacted]\n[redacted]\nb");
  for (const Kind kind : kinds()) EXPECT_EQ(redact(example_of(kind)), example_of(kind));
}

}  // namespace
}  // namespace rltune::config
