#include <gtest/gtest.h>

#include <set>

#include "rltune/api/json.hpp"
#include "rltune/api/operation.hpp"

namespace rltune::api {
namespace {

Json document() { return Json::parse(openapi("1.2.3")); }

// Every "$ref" in a tree.
void collect(const Json& tree, std::set<std::string>& found) {
  if (tree.is_object() && tree.contains("$ref")) found.insert(tree["$ref"]);
  if (tree.is_structured())
    for (const Json& inner : tree) collect(inner, found);
}

TEST(OpenApi, every_operation_stands_in_it) {
  const Json told = document();
  EXPECT_EQ(told["openapi"], "3.1.0");
  EXPECT_EQ(told["info"]["version"], "1.2.3");
  std::size_t count = 0;
  for (const Json& path : told["paths"]) count += path.size();
  EXPECT_EQ(count, operations().size());
  const Json mode = told["paths"]["/api/v1/plant/mode"]["put"];
  EXPECT_EQ(mode["operationId"], "setMode");
  EXPECT_EQ(mode["x-permission"], "plant.operate");
  EXPECT_EQ(mode["requestBody"]["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/ModeOrder");
  EXPECT_EQ(mode["responses"]["200"]["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/Mode");
}

TEST(OpenApi, whatever_it_points_at_is_there) {
  const Json told = document();
  std::set<std::string> found;
  collect(told, found);
  EXPECT_GE(found.size(), 10U);
  for (const std::string& reference : found)
    EXPECT_TRUE(told.contains(Json::json_pointer(reference.substr(1)))) << reference;
}

TEST(OpenApi, a_schema_says_what_the_reader_asks) {
  const Json schemas = document()["components"]["schemas"];
  EXPECT_EQ(schemas["Login"]["required"], Json({"user", "password"}));
  EXPECT_EQ(schemas["Login"]["properties"]["password"]["writeOnly"], true);
  EXPECT_EQ(schemas["Login"]["properties"]["user"]["maxLength"], 64);
  EXPECT_EQ(schemas["Login"]["additionalProperties"], false);
  EXPECT_EQ(schemas["ModeOrder"]["properties"]["mode"]["enum"], Json({"manual", "shadow", "advisory", "automatic"}));
  EXPECT_EQ(schemas["Agent"]["properties"]["versions"]["items"]["$ref"], "#/components/schemas/Version");
  EXPECT_EQ(schemas["PlantState"]["properties"]["verdicts"]["additionalProperties"]["type"], "integer");
}

TEST(OpenApi, a_path_names_its_parameters) {
  const Json order = document()["paths"]["/api/v1/agents/{agent}/versions/{version}/orders"]["post"];
  ASSERT_EQ(order["parameters"].size(), 3U);
  EXPECT_EQ(order["parameters"][0]["name"], "agent");
  EXPECT_EQ(order["parameters"][1]["name"], "version");
}

TEST(OpenApi, what_stands_behind_the_question_mark_is_described_as_it_is_read) {
  const Json told = document()["paths"]["/api/v1/tags/{tag}/rollups"]["get"]["parameters"];
  std::map<std::string, Json> parameters;
  for (const Json& one : told) parameters[one.value("name", "")] = one;
  ASSERT_EQ(parameters.size(), 7U) << "with the correlation id";
  EXPECT_EQ(parameters["tag"]["in"], "path");
  EXPECT_EQ(parameters["resolution"]["in"], "query");
  EXPECT_EQ(parameters["resolution"]["required"], true);
  EXPECT_EQ(parameters["resolution"]["schema"]["enum"], Json({"minute", "five_minutes", "hour"}));
  EXPECT_EQ(parameters["from"]["required"], false);
  EXPECT_EQ(parameters["from"]["schema"]["format"], "date-time");
  EXPECT_EQ(parameters["limit"]["schema"]["maximum"], 10'000.0);
}

TEST(OpenApi, only_what_is_open_asks_for_nobody) {
  const Json told = document();
  for (const Operation& operation : operations()) {
    const std::string method = operation.method == "GET"    ? "get"
                               : operation.method == "POST" ? "post"
                               : operation.method == "PUT"  ? "put"
                                                            : "delete";
    const Json& described = told["paths"][std::string(operation.path)][method];
    EXPECT_EQ(described["security"].empty(), operation.permission == Permission::open) << operation.id;
  }
}

TEST(OpenApi, every_error_is_a_problem_document) {
  const Json told = document();
  const auto problem = Json::json_pointer("/content/application~1problem+json/schema/$ref");
  for (const auto& [name, response] : told["components"]["responses"].items())
    EXPECT_EQ(response.value(problem, ""), "#/components/schemas/Problem") << name;
  const Json& responses = told["paths"]["/api/v1/plant/mode"]["put"]["responses"];
  for (const char* status : {"401", "403", "422", "429", "503", "default"}) EXPECT_TRUE(responses.contains(status));
  EXPECT_FALSE(told["paths"]["/api/v1/plant/mode"]["get"]["responses"].contains("415")) << "it takes nothing";
}

TEST(OpenApi, a_cookie_alone_changes_nothing) {
  const Json told = document();
  EXPECT_EQ(told["paths"]["/api/v1/plant/mode"]["put"]["security"],
            Json::parse(R"([{"bearer":[]},{"cookie":[],"csrf":[]}])"));
  EXPECT_EQ(told["paths"]["/api/v1/plant/mode"]["get"]["security"], Json::parse(R"([{"bearer":[]},{"cookie":[]}])"));
}

TEST(OpenApi, ids_are_unique_and_what_changes_nothing_is_a_get) {
  std::set<std::string_view> ids;
  for (const Operation& operation : operations()) {
    EXPECT_TRUE(ids.insert(operation.id).second) << operation.id;
    EXPECT_TRUE(operation.path.starts_with("/api/v1/")) << operation.id;
    EXPECT_TRUE(operation.method != "GET" || operation.request == nullptr) << operation.id;
  }
}

}  // namespace
}  // namespace rltune::api
