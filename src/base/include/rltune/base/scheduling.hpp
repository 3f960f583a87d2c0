// How the kernel shares its processors between us and others.
#pragma once

namespace rltune {

// Short turns, taken soon: the calling thread, and those it starts from now on, run within about 0.1 ms of waking
// also beside busy threads of equal priority, which otherwise keep a processor until the next timer tick (up to
// 4 ms). Needs no privilege. Linux 6.12 and later do it; false where the kernel refused, and nothing changes then.
bool prefer_latency() noexcept;

}  // namespace rltune
