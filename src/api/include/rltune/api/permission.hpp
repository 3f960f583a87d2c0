// Who may do what, in one table: deny by default, a role has what its column says and nothing else.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace rltune::api {

enum class Role : std::uint8_t { viewer, operate, engineer, admin, service };

// "viewer", "operator", "engineer", "admin", "service". nullopt: no role.
std::optional<Role> parse_role(std::string_view text);
std::string_view to_string(Role role);

enum class Permission : std::uint8_t {
  open,            // also who has not signed in
  account,         // one's own
  site_read,       // the plant's state, agents, versions
  plant_operate,   // modes and set-points, through the guard
  agents_operate,  // start and stop, promote, pause, take back
  agents_deploy,   // a new version
  audit_read,      // who did what
  logs_read,       // what the roles say, and whom it is sent to
  alerts_answer,   // say who looks after one
  backups_read,    // which there are
  backups_make,    // and verify
  config_read,
  config_write,
  users_manage,
};

struct PermissionRow {
  Permission permission;
  std::string_view name;  // "plant.operate": as it stands in the OpenAPI document and in docs/security.md
  std::string_view note;
  bool viewer, operate, engineer, admin, service;
};
std::span<const PermissionRow> permission_table();
const PermissionRow& row_of(Permission permission);

bool may(Role role, Permission permission);

}  // namespace rltune::api
