// How to reach one OPC UA server, safely.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "rltune/base/time.hpp"

namespace rltune::plant {

struct OpcuaOptions {
  std::string url;                          // "opc.tcp://host:port"
  std::string security = "Basic256Sha256";  // Aes128_Sha256_RsaOaep, Aes256_Sha256_RsaPss; None needs allow_insecure
  bool allow_insecure = false;
  std::string server_application_uri;  // what the server's certificate must name
  std::string application_uri;         // ours; empty: what our certificate says, or one made from the host's name
  std::filesystem::path pki;           // folder of an OpcuaPki
  std::string user;                    // empty: anonymous
  std::string password;
  Duration publishing_interval = std::chrono::milliseconds(100);
  Duration sampling_interval = std::chrono::milliseconds(-1);  // negative: at every publishing; 0: as fast as it can
  Duration inactivity_timeout = std::chrono::seconds(2);
  Duration call_timeout = std::chrono::seconds(2);
  Duration channel_lifetime = std::chrono::minutes(10);  // the channel's keys are renewed at three quarters of it
  Duration reconnect_min = std::chrono::milliseconds(100);
  Duration reconnect_max = std::chrono::seconds(5);
  Duration renew_before = std::chrono::days(30);    // the end of our certificate: the next one is made
  Duration renewal_look = std::chrono::minutes(1);  // for a next one; where it is refused, up to ten times as long
};

}  // namespace rltune::plant
