#!/usr/bin/env bash
# A site as the unit rltune@north, with systemd as process 1: installed from a bundle, started, killed, hung, upgraded, taken back and
# stopped. try_unit.sh runs inside what `try_package.sh systemd` boots; /try holds both versions' bundles and the builder's key.
set -euo pipefail
cd "$(mktemp -d)"
say() { echo "try: $*"; }
die() {
  say "$1"
  systemctl --no-pager --lines=30 status rltune@north || true
  tail -n 5 /run/rltune/north/logs/*.log || true
  exit 1
}
property() { systemctl show rltune@north --property="$1" --value; }
status() { rltune site status /var/lib/rltune/north/site.yaml --run-folder /run/rltune/north --json 2>/dev/null; }
samples() { status | sed -n 's/^  "samples": \([0-9]*\),$/\1/p'; }
within() { # SECONDS WHAT COMMAND...
  local end=$((SECONDS + $1)) what=$2; shift 2
  until "$@"; do [ $SECONDS -lt $end ] || die "not within its time: $what"; sleep 0.1; done
}
takes_in() { local now; now=$(samples); [ "${now:-0}" -gt "${1:-100}" ]; }
another_process() { local now; now=$(property MainPID); [ "$now" != 0 ] && [ "$now" != "$1" ]; }
well() { [ "$(property ActiveState)" = active ] && takes_in "$1"; }

# By the lines of docs/operations.md.
install -d /opt/rltune/keys /tmp/first && cp /try/builder.pub /opt/rltune/keys/
tar -x -f /try/now.bundle -C /tmp/first
/tmp/first/bin/rltune upgrade apply /try/now.bundle 2>/dev/null && rm -r /tmp/first
ln -s /opt/rltune/current/bin/rltune /usr/local/bin/rltune
useradd --system --home-dir /var/lib/rltune rltune
ln -s /opt/rltune/current/share/rltune@.service /etc/systemd/system/ && systemctl daemon-reload

install -d -o rltune -g rltune /var/lib/rltune /var/lib/rltune/north
systemd-run --quiet --unit=twin --working-directory="$PWD" --property=StandardOutput="file:$PWD/twin.json" \
  rltune twin serve --plant lettuce --speed 18000 --port 4840 --pki twin-keys --json
within 20 "the twin serves" test -s twin.json
cp twin-keys/own/cert.der /tmp/twin.der
install -o rltune -g rltune -m 600 twin-keys/own/password /var/lib/rltune/north/password
draft=(setpriv --reuid=rltune --regid=rltune --init-groups rltune site init --opcua opc.tcp://127.0.0.1:4840
  --trust /tmp/twin.der --user rltune --password-file /var/lib/rltune/north/password --out /var/lib/rltune/north/site.yaml)
"${draft[@]}" >init.log 2>&1 || true  # makes our certificate, which the twin does not know yet
cp /var/lib/rltune/north/pki/own/cert.der twin-keys/trusted/
"${draft[@]}" >init.log 2>&1 || die "$(cat init.log)"

began=$(date +%s%N)
systemctl start rltune@north || die "the unit does not start"
say "started and ready after $((($(date +%s%N) - began) / 1000000)) ms: $(property StatusText)"
within 30 "samples are taken in" takes_in
io=$(pgrep -o rltune-io)
if grep -q '^Max realtime priority *1 ' "/proc/$io/limits"; then
  chrt -p "$io" | grep -q SCHED_RR || die "io does not run in real time"
  say "io runs in real time"
else
  say "this machine lets systemd grant no real-time priority: not tried"
fi
say "exposure:$(systemd-analyze security --no-pager rltune@north | sed -n 's/.*Overall exposure level[^:]*://p')"

keeper=$(property MainPID)
kill -KILL "$keeper"
within 30 "another keeper after kill -9" another_process "$keeper"
within 30 "well after kill -9" well 100
say "killed: goes on by itself"

keeper=$(property MainPID)
kill -STOP "$keeper"
within 40 "another keeper after one that hung" another_process "$keeper"
within 30 "well after a keeper that hung" well 100
say "hung: the watchdog ended it, and it goes on"

keeper=$(property MainPID) restarts=$(property NRestarts)
for way in "apply /try/next.bundle" rollback; do
  rltune upgrade $way >upgrade.log 2>&1 || die "$(cat upgrade.log)"
  tail -n 2 upgrade.log
  [ "$(property MainPID) $(property NRestarts)" = "$keeper $restarts" ] || die "systemd had to start it anew"
  within 30 "well after an upgrade" well 100
done

began=$(date +%s%N)
systemctl stop rltune@north
[ "$(property Result)" = success ] || die "not stopped in order: $(property Result)"
! pgrep -u rltune >/dev/null || die "somebody is left: $(pgrep -lu rltune)"
say "stopped in order after $((($(date +%s%N) - began) / 1000000)) ms"
