// The words of a person within an entry (who, why, and the details), as they are stored and as they are shown.
#pragma once

#include <cstdint>
#include <string>

#include "rltune/audit/entry.hpp"
#include "rltune/vault/vault.hpp"

namespace rltune::audit {

// At most so many bytes, and no part of a letter.
std::string bounded(const std::string& text, std::size_t bytes_max);

// What a role says of itself stays as it is: nobody did it. A value that was encrypted opens in this line of this
// role's log alone.
Entry stored(Entry entry, const std::string& role, std::uint64_t sequence, const vault::Vault& vault);
Entry shown(Entry entry, const std::string& role, std::uint64_t sequence, const vault::Vault& vault);

}  // namespace rltune::audit
