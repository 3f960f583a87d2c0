// Every answer of the API that the tests of one executable get, held against the OpenAPI document at their end by
// validators of another project (tests/peers/api_answers.mjs). It needs a line beside the tests:
//
//   inline api::AnswerRecord& answers = api::record_answers(api::Wanted::every_operation);
#pragma once

#include <gtest/gtest.h>

#include <format>
#include <fstream>
#include <mutex>
#include <string>
#include <string_view>

#include "command_answer.hpp"
#include "rltune/api/json.hpp"
#include "rltune/api/operation.hpp"
#include "temporary_folder.hpp"

namespace rltune::api {

enum class Wanted { any, every_operation };  // every: has to be answered with success by some test

class AnswerRecord : public ::testing::Environment {
 public:
  explicit AnswerRecord(Wanted wanted) : wanted_(wanted) {}

  // `path` may have a query. Only what lies below /api/ counts. Threads: any.
  void note(std::string_view method, std::string_view path, long status, std::string_view type,
            const std::string& body) {
    if (status == 0 || !path.starts_with("/api/")) return;
    path = path.substr(0, path.find('?'));
    const Json line{{"method", method}, {"path", path}, {"status", status}, {"type", type}, {"body", body}};
    const std::scoped_lock lock(mutex_);
    lines_ += line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }

  void TearDown() override {
    if (lines_.empty()) return;
    const TemporaryFolder folder;
    const auto document = folder.path() / "openapi.json", lines = folder.path() / "answers";
    ASSERT_TRUE(write_file(document, openapi("1.0.0")) && write_file(lines, lines_));
    const auto said = run_command(std::format("/usr/bin/node {}/tests/peers/api_answers.mjs {} {}", RLTUNE_SOURCE_DIR,
                                              document.string(), lines.string()),
                                  folder.path());
    EXPECT_EQ(said.status, 0) << said.out << said.err;
    // A run of chosen tests cannot meet them all.
    if (wanted_ == Wanted::every_operation && ::testing::GTEST_FLAG(filter) == "*") expect_every_operation(said.out);
  }

 private:
  static void expect_every_operation(const std::string& said) {
    const std::size_t end = said.find_last_not_of('\n');
    const Json told = Json::parse(said.substr(said.rfind('\n', end) + 1), nullptr, false);
    ASSERT_TRUE(told.is_object()) << said;
    for (const Operation& operation : operations()) {
      const auto answered = told["operations"].value(std::string(operation.id), Json::object());
      const char* const success = operation.redirects           ? "302"
                                  : operation.accepted          ? "202"
                                  : operation.answer == nullptr ? "204"
                                                                : "200";
      EXPECT_TRUE(answered.contains(success))
          << "no test has " << operation.id << " answered with success; it was answered " << answered;
      EXPECT_GE(answered.size(), 2U) << "no test has " << operation.id << " refused";
    }
  }

  Wanted wanted_;
  std::mutex mutex_;
  std::string lines_;
};

inline AnswerRecord& record_answers(Wanted wanted) {
  return *static_cast<AnswerRecord*>(::testing::AddGlobalTestEnvironment(new AnswerRecord(wanted)));
}

}  // namespace rltune::api
