// Orderly stop on SIGINT and SIGTERM. The first signal sets the flag; a second one of the same run
// ends the process at once, for a person who means it.
#pragma once

namespace rltune {

void catch_interrupts() noexcept;
bool interrupted() noexcept;

}  // namespace rltune
