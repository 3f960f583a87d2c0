#include "rltune/api/permission.hpp"

#include <algorithm>
#include <array>

#include "rltune/base/check.hpp"

namespace rltune::api {
namespace {

constexpr std::array<std::string_view, 5> kRoles{"viewer", "operator", "engineer", "admin", "service"};
constexpr bool kYes = true, kNo = false;

// clang-format off
constexpr std::array kTable{
    //                                                                                                   viewer  operator  engineer  admin  service
    PermissionRow{Permission::open,            "open",            "nobody has to sign in",                  kYes,   kYes,     kYes,     kYes,  kYes},
    PermissionRow{Permission::account,         "account",         "one's own session and account",          kYes,   kYes,     kYes,     kYes,  kNo},
    PermissionRow{Permission::site_read,       "site.read",       "see the plant, roles, agents",           kYes,   kYes,     kYes,     kYes,  kYes},
    PermissionRow{Permission::plant_operate,   "plant.operate",   "modes and set-points, guarded",          kNo,    kYes,     kYes,     kYes,  kNo},
    PermissionRow{Permission::agents_operate,  "agents.operate",  "start, stop, promote, take back",        kNo,    kYes,     kYes,     kYes,  kNo},
    PermissionRow{Permission::agents_deploy,   "agents.deploy",   "bring in a new version",                 kNo,    kNo,      kYes,     kYes,  kNo},
    PermissionRow{Permission::audit_read,      "audit.read",      "see and verify who did what",            kNo,    kNo,      kYes,     kYes,  kNo},
    PermissionRow{Permission::logs_read,       "logs.read",       "search logs, see where they are sent",   kNo,    kYes,     kYes,     kYes,  kNo},
    PermissionRow{Permission::alerts_answer,   "alerts.answer",   "say who looks after an alert",           kNo,    kYes,     kYes,     kYes,  kNo},
    PermissionRow{Permission::backups_read,    "backups.read",    "see which backups there are",            kNo,    kYes,     kYes,     kYes,  kNo},
    PermissionRow{Permission::backups_make,    "backups.make",    "make and verify backups",                kNo,    kNo,      kYes,     kYes,  kNo},
    PermissionRow{Permission::config_read,     "config.read",     "see the configuration",                  kNo,    kYes,     kYes,     kYes,  kNo},
    PermissionRow{Permission::config_write,    "config.write",    "change the configuration",               kNo,    kNo,      kYes,     kYes,  kNo},
    PermissionRow{Permission::users_manage,    "users.manage",    "accounts, roles, sessions of others",    kNo,    kNo,      kNo,      kYes,  kNo},
};
// clang-format on

}  // namespace

std::optional<Role> parse_role(std::string_view text) {
  const auto found = std::ranges::find(kRoles, text);
  if (found == kRoles.end()) return std::nullopt;
  return static_cast<Role>(found - kRoles.begin());
}

std::string_view to_string(Role role) { return kRoles[static_cast<std::size_t>(role)]; }

std::span<const PermissionRow> permission_table() { return kTable; }

const PermissionRow& row_of(Permission permission) {
  const auto row = std::ranges::find(kTable, permission, &PermissionRow::permission);
  RLTUNE_CHECK(row != kTable.end());
  return *row;
}

bool may(Role role, Permission permission) {
  const PermissionRow& row = row_of(permission);
  switch (role) {
    case Role::viewer:
      return row.viewer;
    case Role::operate:
      return row.operate;
    case Role::engineer:
      return row.engineer;
    case Role::admin:
      return row.admin;
    case Role::service:
      return row.service;
  }
  return false;
}

}  // namespace rltune::api
