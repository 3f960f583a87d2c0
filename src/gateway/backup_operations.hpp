// Backups of the site: listed, made and verified by coredinator. Restoring one is done on the host.
#pragma once

#include "history_operations.hpp"

namespace rltune::gateway {

// Of the operations listBackups, createBackup, verifyBackup and getBackupJob.
Handlers backup_handlers(const Reading& reading);

}  // namespace rltune::gateway
