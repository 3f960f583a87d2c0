// Certificates of a test's own, made by openssl: an authority, a server's for 127.0.0.1 and localhost, a client's, and
// another authority that has signed neither.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace rltune::testing {

// ca.pem, server.pem, server.key, client.pem, client.key, other-ca.pem in the folder. False: openssl said no.
inline bool make_certificates(const std::filesystem::path& folder) {
  const std::string script = R"(
set -e; cd ')" + folder.string() +
                             R"('
key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
for ca in ca other-ca; do openssl req -x509 $key -subj "/CN=test $ca" -keyout $ca.key -out $ca.pem; done
printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\n' >server.ext
printf 'extendedKeyUsage=clientAuth\n' >client.ext
for who in server client; do
  openssl req $key -subj "/CN=test-$who" -keyout $who.key -out $who.csr
  openssl x509 -req -in $who.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile $who.ext -out $who.pem
done
chmod 600 *.key
)";
  return std::system(("sh >/dev/null 2>&1 <<'END'\n" + script + "END").c_str()) == 0;
}

}  // namespace rltune::testing
