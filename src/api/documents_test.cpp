#include "rltune/api/documents.hpp"

#include <gmock/gmock.h>

#include <set>

#include "rltune/api/operation.hpp"

namespace rltune::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(TypeScript, every_operation_is_a_function_and_every_message_a_type) {
  const std::string text = typescript_client("1.2.3");
  for (const Operation& operation : operations())
    EXPECT_EQ(text.contains("\n  " + std::string(operation.id) + "("), !operation.redirects) << operation.id;
  EXPECT_THAT(text, HasSubstr("export interface ModeOrder {\n  /** from now on */\n"
                              "  mode: \"manual\" | \"shadow\" | \"advisory\" | \"automatic\";\n"));
  EXPECT_THAT(text, HasSubstr("orderVersion(agent: string, version: string, body: VersionOrder): Promise<Agent> {"));
  EXPECT_THAT(
      text,
      HasSubstr("`/api/v1/agents/${encodeURIComponent(agent)}/versions/${encodeURIComponent(version)}/orders`, body"));
}

TEST(ReferencePage, every_operation_stands_on_it_and_every_link_leads_somewhere) {
  const std::string html = reference_page("1.2.3").html;
  for (const Operation& operation : operations())
    EXPECT_THAT(html, HasSubstr("<article id=\"" + std::string(operation.id) + "\">"));
  std::set<std::string> targets;
  for (std::size_t at = html.find("href=\"#"); at != std::string::npos; at = html.find("href=\"#", at + 1))
    targets.insert(html.substr(at + 7, html.find('"', at + 7) - at - 7));
  EXPECT_GE(targets.size(), operations().size());
  for (const std::string& target : targets) EXPECT_THAT(html, HasSubstr("id=\"" + target + "\""));
}

TEST(ReferencePage, nothing_on_it_is_a_script_or_comes_from_elsewhere) {
  const auto [html, style] = reference_page("1.2.3");
  for (const char* one : {"<script", "http://", "https://", "style=\"", "onclick", "url(", "@import"})
    EXPECT_THAT(html, Not(HasSubstr(one)));
  EXPECT_THAT(html, HasSubstr("<style>" + std::string(style) + "</style>"));
}

}  // namespace
}  // namespace rltune::api
