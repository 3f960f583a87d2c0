#include "rltune/base/log.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "rltune/base/trace.hpp"

namespace rltune::log {
namespace {

// What the calls inside wrote to stderr, a JSON object a line: stderr is no terminal here.
std::vector<nlohmann::json> captured(const std::function<void()>& calls) {
  testing::internal::CaptureStderr();
  calls();
  std::istringstream text(testing::internal::GetCapturedStderr());
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

TEST(Log, every_level_has_the_documents_name_and_is_parsed_in_either_case) {
  for (const Level level : kLevels) EXPECT_EQ(parse_level(name_of(level)), level);
  EXPECT_EQ(parse_level("debug"), Level::debug);
  ASSERT_FALSE(parse_level("loud"));
  EXPECT_NE(parse_level("loud").error().message.find("critical"), std::string::npos);
}

TEST(Log, the_level_changes_while_it_runs_and_lines_are_counted) {
  start("test");
  const std::uint64_t before = lines(Level::debug);
  const auto written = captured([] {
    debug("unheard");
    set_level(Level::debug);
    debug("heard", {{"of", "io"}});
    set_level(Level::error);
    warning("unheard");
    set_level(Level::info);
  });
  ASSERT_EQ(written.size(), 1U);
  EXPECT_EQ(written[0]["message"], "heard");
  EXPECT_EQ(written[0]["level"], "DEBUG");
  EXPECT_EQ(written[0]["role"], "test");
  EXPECT_EQ(lines(Level::debug), before + 1);
  EXPECT_EQ(level(), Level::info);
}

class Heard final : public Listener {
 public:
  void hear(const Line& line) noexcept override {
    lines.push_back(std::string(name_of(line.level)) + " " + std::string(line.role) + " " + std::string(line.message) +
                    " " + std::string(line.correlation_id) + " " + std::string(line.fields[0].name) + "=" +
                    line.fields[0].value);
  }
  std::vector<std::string> lines;
};

TEST(Log, who_listens_hears_what_is_written_and_nothing_else) {
  start("test");
  Heard heard;
  listen(&heard);
  const auto written = captured([] {
    debug("unheard", {{"of", "io"}});
    const Correlation call("abc-1");
    warning("heard", {{"of", "io"}});
  });
  listen(nullptr);
  captured([] { info("later", {{"of", "io"}}); });
  EXPECT_EQ(written.size(), 1U);
  EXPECT_EQ(heard.lines, (std::vector<std::string>{"WARNING test heard abc-1 of=io"}));
}

TEST(Log, lines_of_a_call_carry_its_correlation_id) {
  const auto written = captured([] {
    info("before");
    {
      const std::string id = "outer";
      const Correlation outer(id);
      {
        const Correlation inner("inner");
        info("inside");
      }
      info("again");
    }
    info("after");
  });
  ASSERT_EQ(written.size(), 4U);
  EXPECT_FALSE(written[0].contains("correlation_id"));
  EXPECT_EQ(written[1]["correlation_id"], "inner");
  EXPECT_EQ(written[2]["correlation_id"], "outer");
  EXPECT_FALSE(written[3].contains("correlation_id"));
}

TEST(Log, lines_of_a_traced_call_carry_the_traces_id) {
  const auto written = captured([] {
    const trace::Scope traced(trace::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
    info("inside");
    const trace::Scope not_traced(trace::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"));
    info("nobody has this trace");
  });
  ASSERT_EQ(written.size(), 2U);
  EXPECT_EQ(written[0]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_FALSE(written[1].contains("trace_id"));
}

}  // namespace
}  // namespace rltune::log
