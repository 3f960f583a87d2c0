// Two hundred malformed or hostile files, most of them made from good ones by a seed: each is refused with a line
// that exists, with a field, and without repeating more of the file than a name.
#include <gtest/gtest.h>

#include <format>
#include <set>

#include "example_kinds.hpp"
#include "rltune/base/random.hpp"

namespace rltune::config {
namespace {

struct Case {
  std::string what, text;
  int line = 0;  // 0: any line of the file
};

std::string repeated(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

// Written by hand, for each kind: what an attacker or a bad disk makes of a file. The good part is before it.
std::vector<Case> by_hand(Kind kind) {
  const std::string good = example_of(kind);
  const int end = static_cast<int>(std::ranges::count(good, '\n')) + 1;
  const auto after = [&](std::string what, const std::string& text) { return Case{std::move(what), good + text, end}; };
  std::string laughs = "x:\n  a: &a [l, l]\n";
  for (char c = 'b'; c < 'k'; ++c)
    laughs += std::format("  {0}: &{0} [*{1}, *{1}, *{1}]\n", c, static_cast<char>(c - 1));
  std::string truncated = good.substr(0, good.size() / 2) + "\"";
  return {
      {"aliases that multiply", good + laughs, end + 1},
      after("a merge key", "<<: {a: 1}\n"),
      after("an anchor", "x: &a 1\n"),
      {"a tag that runs code", good + "x: !!python/object/apply:os.system ['id']\n", end},
      {"the same field twice", good + "schema: rltune/site/v1\n", end},
      {"a second document", good + "---\nschema: rltune/users/v1\n"},
      {"a zero byte", good + std::string("x: a\0b\n", 7), end},
      {"bytes that are no UTF-8", good + "x: \xFF\xFE\n", end},
      {"an overlong slash", good + "x: ..\xC0\xAF\n", end},
      {"half a character", good + "x: \xE2\x82", end},
      {"an escape sequence for terminals", good + "x: \x1B]0;owned\x07\n", end},
      {"text that reads backwards",
       good + "x: \xE2\x80\xAE"
              "evil\n",
       end},
      {"lists in lists in lists", good + "x: " + repeated("[", 5000) + "\n", end},
      {"groups in groups", good + "x: " + repeated("{a: ", 5000) + "\n", end},
      {"a million blanks", good + repeated(" ", 1 << 20) + "\n"},
      {"a number without end", replaced(good, "schema:", "x: " + repeated("9", 4000) + "\nschema:")},
      {"a quote that never ends", truncated},
      {"a key that is a list", good + "? [a, b]\n: 1\n", end},
      {"tabs that indent", replaced(good, "\n  ", "\n\t")},
      {"another kind's name", replaced(good, to_string(Schema{kind, newest_version(kind)}), "rltune/unknown/v1"), 1},
      {"a version to come", replaced(good, std::format("/v{}", newest_version(kind)), "/v999"), 1},
      {"no schema", good.substr(good.find('\n') + 1), 1},
      {"a schema that is a list",
       "schema: [" + good.substr(8, good.find('\n') - 8) + "]" + good.substr(good.find('\n')), 1},
      {"only a word", "schema\n", 1},
      {"nothing", "", 1},
  };
}

// A secret, a path out of the folder, numbers at the edge: in fields that the kind really has.
std::vector<Case> by_field() {
  const auto make = [](Kind kind, const std::string& from, const std::string& to) {
    return Case{std::format("{}: {}", to_string(kind), to), replaced(example_of(kind), from, to)};
  };
  return {
      make(Kind::site, "password_env: PILOT_PASSWORD", "password_file: ../../../etc/shadow"),
      make(Kind::site, "password_env: PILOT_PASSWORD", "password_file: a/../../b"),
      make(Kind::site, "password_env: PILOT_PASSWORD", "password_file: \"a\\nb\""),
      make(Kind::site, "password_env: PILOT_PASSWORD", "password_env: $(id)"),
      make(Kind::site, "password_env: PILOT_PASSWORD", "password: hunter2"),
      make(Kind::site, "period_s: 60", "period_s: 1e400"),
      make(Kind::site, "period_s: 60", "period_s: -.inf"),
      make(Kind::site, "period_s: 60", "period_s: 0x3c"),
      make(Kind::site, "period_s: 60", "period_s: 1e-320"),
      make(Kind::site, "elements: 12", "elements: 4294967297"),
      make(Kind::site, "name: pilot", "name: ../../etc/cron.d/x"),
      make(Kind::site, "id: climate", "id: climate/../../x"),
      make(Kind::site, "require: temperature < 38",
           "require: " + repeated("(", 3000) + "temperature" + repeated(")", 3000)),
      make(Kind::site, "require: temperature < 38", "require: while (true) {}"),
      make(Kind::users, "secrets/ada.hash", "..//..//ada.hash"),
      make(Kind::users, "role: operator", "role: [administrator]"),
      make(Kind::users, "session_hours: 8", "session_hours: .nan"),
      make(Kind::retention, "audit_days: 3650", "audit_days: 0"),
      make(Kind::alerts, "smtps://mail.example.com:465", "file:///etc/passwd"),
      make(Kind::alerts, "oncall@example.com", "\"a@b.c\\r\\nBcc: x@y.z\""),
      make(Kind::telemetry, "https://telemetry.example.com", "https://me:hunter2@telemetry.example.com"),
      make(Kind::telemetry, "token_env: NORTH_TELEMETRY_TOKEN", "token: ghp_0123456789abcdefghij0123456789"),
  };
}

// A field's line changed so that no good file can have it: an unknown name, nothing as value, a group as value.
Case mutated(Kind kind, Random& random) {
  const std::string good = example_of(kind);
  std::vector<std::size_t> starts{0};
  for (std::size_t at = 0; (at = good.find('\n', at)) != std::string::npos && at + 1 < good.size();)
    starts.push_back(++at);
  for (;;) {
    const std::size_t start = starts[random.below(starts.size())];
    const std::size_t colon = good.find(": ", start), line_end = good.find('\n', start);
    if (colon == std::string::npos || colon > line_end) continue;
    const int line = static_cast<int>(std::ranges::count(good.substr(0, start), '\n')) + 1;
    std::string text = good;
    switch (random.below(4)) {
      case 0:
        return {std::format("{}: an unknown name in line {}", to_string(kind), line), text.insert(colon, "_x"), 0};
      case 1:
        return {std::format("{}: no value in line {}", to_string(kind), line),
                text.replace(colon + 1, line_end - colon - 1, ""), 0};
      case 2:
        return {std::format("{}: a group in line {}", to_string(kind), line),
                text.replace(colon + 2, line_end - colon - 2, "{zz: {zz: 1}}"), 0};
      default:
        return {std::format("{}: an open bracket in line {}", to_string(kind), line),
                text.replace(colon + 2, line_end - colon - 2, "[{"), 0};
    }
  }
}

std::vector<Case> corpus() {
  std::vector<Case> cases = by_field();
  for (const Kind kind : kinds()) std::ranges::move(by_hand(kind), std::back_inserter(cases));
  Random random(20261121);
  std::set<std::string> seen;
  while (cases.size() < 260) {
    Case made = mutated(kinds()[cases.size() % kinds().size()], random);
    if (seen.insert(made.text).second) cases.push_back(std::move(made));
  }
  return cases;
}

TEST(Hostile, more_than_two_hundred_files_are_refused_with_line_and_field) {
  std::size_t refused = 0;
  for (const Case& hostile : corpus()) {
    const Checked checked = check(hostile.text);
    ASSERT_FALSE(checked.faults.empty()) << hostile.what << "\n" << hostile.text;
    ++refused;
    const int lines = static_cast<int>(std::ranges::count(hostile.text, '\n')) + 1;
    for (const Fault& fault : checked.faults) {
      EXPECT_GE(fault.line, 1) << hostile.what;
      EXPECT_LE(fault.line, lines) << hostile.what;
      EXPECT_FALSE(fault.message.empty()) << hostile.what;
      EXPECT_LT(fault.message.size() + fault.field.size(), 1500U) << hostile.what;
      EXPECT_EQ(fault.message.find("hunter2"), std::string::npos) << fault.message;
    }
    const std::string text = to_text("f", checked.faults);
    EXPECT_TRUE(hostile.line == 0 || checked.faults.front().line == hostile.line) << hostile.what << ": " << text;
    // The document itself has no name; whatever lies in it has.
    const bool named = std::ranges::any_of(checked.faults, [](const Fault& fault) {
      return !fault.field.empty() || fault.message.find('\'') != std::string::npos ||
             fault.message.starts_with("holds ") || fault.message.starts_with("larger ") ||
             fault.message.starts_with("not YAML") || fault.message.starts_with("a ") ||
             fault.message.starts_with("the file is empty");
    });
    EXPECT_TRUE(named) << hostile.what << ": " << text;
  }
  EXPECT_GE(refused, 200U);
}

}  // namespace
}  // namespace rltune::config
