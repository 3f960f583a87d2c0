#!/usr/bin/env bash
# Makes rltune_VERSION_ARCH.bundle of the programs in BIN, signed with KEY: bundle.sh BIN OUT KEY. In it is every shared library
# that they load but the C library's own. docs/formats/bundle.md
set -euo pipefail
SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
source "$SOURCE/scripts/say.sh"
bin=$1 out=$2 key=$3
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
install -d "$stage"/{bin,lib,share/doc,share/examples}

for program in "$bin"/rltune "$bin"/rltune-*; do
  install -m 755 "$program" "$stage/bin/"
  strip --strip-unneeded "$stage/bin/$(basename "$program")"
done

# Under the name by which they are asked for; read-only data, so not marked as programs.
libraries=$(ldd "$stage"/bin/*)
if grep 'not found' <<<"$libraries" >&2; then die "a library of the programs is not here"; fi
awk '$2=="=>"{print $1, $3}' <<<"$libraries" | sort -u | while read -r name path; do
  package=$(dpkg -S "$(readlink -f "$path")" | cut -d: -f1)
  [ "$package" = libc6 ] || install -m 644 "$path" "$stage/lib/$name"
done

sed 's|^ExecStart=/usr/bin/rltune |ExecStart=/opt/rltune/current/bin/rltune |; s|file:///usr/share/doc/rltune/|file:///opt/rltune/current/share/doc/|' \
  "$SOURCE/deploy/rltune@.service" >"$stage/share/rltune@.service"
grep -q /opt/rltune/current/bin/rltune "$stage/share/rltune@.service" || die "the unit has no ExecStart to point at the bundle"
install -m 644 "$SOURCE"/docs/*.md "$stage/share/doc/"
install -m 644 "$SOURCE"/deploy/{alerts.yaml,prometheus.yml,rltune.rules.yml} "$stage/share/examples/"

version=$("$stage/bin/rltune" --version | cut -d' ' -f2)
mkdir -p "$out"
bundle=$out/rltune_${version}_$(dpkg --print-architecture).bundle
"$stage/bin/rltune" upgrade pack "$stage" --key "$key" --out "$bundle" >&2
echo "$bundle"
