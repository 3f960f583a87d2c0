#!/usr/bin/env bash
# A twin and a site that watches it, for a minute, with the program RLTUNE alone: try_site.sh RLTUNE [SECONDS]. As a new user would.
set -euo pipefail
rltune=$1 seconds=${2:-60}
folder=$(mktemp -d)
cd "$folder"
"$rltune" --version
"$rltune" twin serve --plant lettuce --speed 18000 --port 4840 --pki twin-keys --json >twin.json 2>twin.log &
twin=$!
trap 'kill $twin ${site:-} 2>/dev/null || true' EXIT
for _ in $(seq 100); do [ -s twin.json ] && break; sleep 0.1; done
draft=("$rltune" site init --opcua opc.tcp://127.0.0.1:4840 --trust twin-keys/own/cert.der --user rltune
  --password-file twin-keys/own/password --out north/site.yaml)
"${draft[@]}" >init.log 2>&1 || true  # makes our certificate, which the twin does not know yet
cp north/pki/own/cert.der twin-keys/trusted/
"${draft[@]}" >init.log 2>&1 || { cat init.log; exit 1; }
"$rltune" site check north/site.yaml 2>/dev/null | tail -n 1
"$rltune" up north/site.yaml >up.json 2>up.log &
site=$!
sleep "$seconds"
"$rltune" site status north/site.yaml --json >status.json || { tail -n 20 up.log; exit 1; }
samples=$(sed -n 's/^  "samples": \([0-9]*\),$/\1/p' status.json)
kill -TERM $site
wait $site
[ "${samples:-0}" -gt 100 ] || { echo "it took in ${samples:-no} samples"; tail -n 20 up.log; exit 1; }
echo "ran for $seconds s and took in $samples samples"
