// Who did what, read from the audit log in pages, and whether that log is what was written. Reading it stands in it.
#pragma once

#include "decision_operations.hpp"

namespace rltune::gateway {

// Of the operations listAudit and verifyAudit.
Handlers audit_handlers(const Reading& reading, const TellRead& tell_read);

}  // namespace rltune::gateway
