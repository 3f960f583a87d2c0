// The benchmarks of the gateway: the real process on a real site, callers on the same two cores.
#pragma once

#include "parts.hpp"

namespace rltune::bench {

// What a call costs through gateway and coredinator to an agent and back, beside a bare answer of the same web server;
// so many seconds each.
Rows gateway_calls(double seconds);
// So many rotations of the signing keys at half of what the gateway can answer.
Rows gateway_keys(double rotations);
// For so many seconds: 200 clients that watch 500 tags at 10 Hz, a tenth of which read nothing.
Rows gateway_live(double seconds);

// A bare answer over TLS, until it is killed: says its port on stdout.
int serve_echo(const char* certificate);

}  // namespace rltune::bench
