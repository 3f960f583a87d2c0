#!/usr/bin/env bash
# Makes rltune_VERSION_ARCH.deb of the programs in BIN: package.sh BIN OUT. What it depends on is asked of the programs.
set -euo pipefail
SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
source "$SOURCE/scripts/say.sh"
bin=$1 out=$2
version=$(sed -n 's/^project(rltune VERSION \([0-9.]*\).*/\1/p' "$SOURCE/CMakeLists.txt")
architecture=$(dpkg --print-architecture)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
chmod 755 "$stage"

# The programs find one another beside themselves.
install -d "$stage"/{DEBIAN,usr/lib/rltune,usr/bin,usr/lib/systemd/system,usr/share/doc/rltune/examples}
for program in "$bin"/rltune "$bin"/rltune-*; do
  install -m 755 "$program" "$stage/usr/lib/rltune/"
  strip --strip-unneeded "$stage/usr/lib/rltune/$(basename "$program")"
done
ln -s ../lib/rltune/rltune "$stage/usr/bin/rltune"
install -m 644 "$SOURCE/deploy/rltune@.service" "$stage/usr/lib/systemd/system/"
install -m 644 "$SOURCE"/docs/*.md "$stage/usr/share/doc/rltune/"
install -m 644 "$SOURCE"/deploy/{alerts.yaml,prometheus.yml,rltune.rules.yml} "$stage/usr/share/doc/rltune/examples/"

depends=$("$SOURCE/deploy/runtime_packages.sh" "$stage"/usr/lib/rltune/* | paste -sd, | sed 's/,/, /g')
cat >"$stage/DEBIAN/control" <<EOF
Package: rltune
Version: $version
Architecture: $architecture
Maintainer: RLTune <rltune@localhost>
Installed-Size: $(du -sk "$stage/usr" | cut -f1)
Depends: $depends, adduser, ca-certificates, tzdata
Section: science
Priority: optional
Description: reinforcement learning that runs a real plant
 Trains a policy on a digital twin, proves it against classical controllers and lets it
 steer a real plant behind a guard, on the plant's own machines.
EOF
cat >"$stage/DEBIAN/postinst" <<'EOF'
#!/bin/sh
set -e
if [ "$1" = configure ] && ! getent passwd rltune >/dev/null; then
  adduser --system --group --no-create-home --home /var/lib/rltune rltune
fi
if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
EOF
# Running sites go on with the programs they have open; a restart of theirs is the operator's to choose.
cat >"$stage/DEBIAN/postrm" <<'EOF'
#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
EOF
chmod 755 "$stage/DEBIAN/postinst" "$stage/DEBIAN/postrm"

mkdir -p "$out"
package=$out/rltune_${version}_$architecture.deb
dpkg-deb --root-owner-group -Zzstd --build "$stage" "$package" >&2

# What was packed has to run from where it will lie.
probe=$stage/probe
dpkg-deb -x "$package" "$probe"
[ "$("$probe/usr/bin/rltune" --version)" = "rltune $version" ] || die "the packed rltune does not run"
for noun in plant policy site twin audit log up; do
  "$probe/usr/bin/rltune" "$noun" --help >/dev/null || die "the packed 'rltune $noun' does not run"
done
say "$package: $(($(stat -c %s "$package") / 1024)) KiB"
echo "$package"
