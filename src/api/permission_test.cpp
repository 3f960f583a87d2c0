#include "rltune/api/permission.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <format>
#include <set>
#include <string>

#include "rltune/base/file.hpp"

namespace rltune::api {
namespace {

constexpr Role kPeople[] = {Role::viewer, Role::operate, Role::engineer, Role::admin};

TEST(ApiPermission, each_role_of_people_may_what_those_before_it_may) {
  for (const PermissionRow& row : permission_table())
    for (std::size_t i = 1; i < std::size(kPeople); ++i)
      EXPECT_LE(may(kPeople[i - 1], row.permission), may(kPeople[i], row.permission)) << row.name << i;
}

TEST(ApiPermission, only_who_operates_moves_the_plant) {
  EXPECT_FALSE(may(Role::viewer, Permission::plant_operate));
  EXPECT_FALSE(may(Role::service, Permission::plant_operate));
  EXPECT_TRUE(may(Role::operate, Permission::plant_operate));
}

TEST(ApiPermission, only_an_admin_manages_users) {
  for (const Role role : {Role::viewer, Role::operate, Role::engineer, Role::service})
    EXPECT_FALSE(may(role, Permission::users_manage)) << to_string(role);
  EXPECT_TRUE(may(Role::admin, Permission::users_manage));
}

TEST(ApiPermission, every_permission_stands_in_the_table_once) {
  std::set<Permission> seen;
  std::set<std::string_view> names;
  for (const PermissionRow& row : permission_table()) {
    EXPECT_TRUE(seen.insert(row.permission).second) << row.name;
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(&row_of(row.permission), &row);
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(Permission::users_manage) + 1);
}

TEST(ApiPermission, the_table_of_the_documentation_is_this_one) {
  const auto page = read_file(std::filesystem::path(RLTUNE_SOURCE_DIR) / "docs/gateway.md");
  ASSERT_TRUE(page);
  for (const PermissionRow& row : permission_table()) {
    if (row.permission == Permission::open) continue;
    std::string line = std::format("| `{}`: {} |", row.name, row.note);
    for (const bool has : {row.viewer, row.operate, row.engineer, row.admin, row.service})
      line += has ? " yes |" : " |";
    EXPECT_TRUE(page->contains(line + "\n")) << line;
  }
}

TEST(ApiPermission, a_role_reads_back_and_nothing_else_is_one) {
  for (const Role role : {Role::viewer, Role::operate, Role::engineer, Role::admin, Role::service})
    EXPECT_EQ(parse_role(to_string(role)), role);
  for (const char* text : {"", "Admin", "root", "administrator"}) EXPECT_FALSE(parse_role(text)) << text;
}

}  // namespace
}  // namespace rltune::api
