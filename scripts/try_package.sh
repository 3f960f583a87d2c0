#!/usr/bin/env bash
# Makes what is handed out, installs it on a bare Debian 13 and runs a site there: try_package.sh deb | bundle | image | systemd
#
#   deb     apt installs the package with what it depends on
#   bundle  nothing is installed and there is no network: tar and the bundle alone
#   image   the steps of deploy/Dockerfile's second stage, with the package list that its first stage would make; Debian's
#           docker-compose reads compose.yaml
#   systemd the bundle as a unit, with systemd as process 1: killed, hung, upgraded, taken back, stopped
#
# Runs on the host, since it makes a root of its own with mmdebstrap (once; in the cache) and throws a copy of it away.
set -euo pipefail
SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
CACHE=${RLTUNE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rltune}
export SOURCE CACHE
source "$SOURCE/scripts/say.sh"
source "$SOURCE/scripts/environment.sh"
kind=${1:-}
[ "$(id -u)" = 0 ] || die "this needs to be root: it makes and enters a whole system"
case $kind in
  deb) file=$("$SOURCE/dev" package) ;;
  bundle|systemd)
    key=$(mktemp -d "$CACHE/key.XXXXXX")/builder
    "$SOURCE/dev" rltune upgrade key "$key" >&2
    file=$("$SOURCE/dev" bundle "$key") ;;
  image) "$SOURCE/dev" build apps ;;
  *) die "there is deb, bundle, image and systemd: ./dev try KIND" ;;
esac

bare=$CACHE/bare
if [ ! -e "$bare/.complete" ]; then
  require_mmdebstrap
  require_network
  say "making a bare Debian 13 in $bare (once)"
  discard "$bare"
  unshare --mount --propagation private mmdebstrap --variant=minbase --mode=root --format=directory \
    --aptopt='Acquire::Retries "3"' trixie "$bare" "$MIRROR" >"$CACHE/bare.log" 2>&1 || die "it could not be made; see $CACHE/bare.log"
  touch "$bare/.complete"
fi
root=$(mktemp -d "$CACHE/try.XXXXXX")
trap 'discard "$root"' EXIT
cp -a "$bare/." "$root/"
mkdir -p "$root/try"
cp "$SOURCE/scripts/try_site.sh" "$root/try/"

# A process tree of its own, so that nothing outlives the try; no network where none may be needed.
inside() { # NETWORK COMMAND...
  local network=$1; shift
  local apart=(unshare --mount --pid --fork --kill-child --propagation private)
  [ "$network" = network ] || apart+=(--net)
  "${apart[@]}" bash -c 'mount --bind "$0" "$0"; cd "$0"
    mount -t proc proc proc; mount --rbind /dev dev; mount -t tmpfs tmpfs run; mount -t tmpfs tmpfs tmp
    [ "$1" != network ] || { touch etc/resolv.conf; mount --bind /etc/resolv.conf etc/resolv.conf; }
    [ "$1" = network ] || ip link set lo up 2>/dev/null || true
    shift; exec chroot . /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root "$@"' \
    "$root" "$network" "$@"
}

# systemd as process 1 of the root, with a cgroup of its own; it ends with the unit try.
boot() {
  local cgroup
  cgroup=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)/rltune-try.$$
  mkdir "$cgroup"
  (echo "$BASHPID" >"$cgroup/cgroup.procs"
    exec unshare --cgroup --mount --pid --uts --ipc --fork --kill-child --propagation private bash -c 'mount --bind "$0" "$0"; cd "$0"
      mount -t proc proc proc; mount -t sysfs -o ro sysfs sys; mount -t cgroup2 cgroup2 sys/fs/cgroup
      mount --bind /dev dev; mount -t tmpfs tmpfs dev/shm; mount -t tmpfs tmpfs run; mount -t tmpfs tmpfs tmp
      pivot_root . .; umount -l .; mount --make-rshared /
      exec /usr/bin/env -i container=try PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=try.service' "$root") \
    >"$CACHE/try-systemd.log" 2>&1 || true
  find "$cgroup" -depth -type d -exec rmdir {} +
}

began=$SECONDS
case $kind in
  deb)
    cp "$file" "$root/try/rltune.deb"
    inside network bash -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends /try/rltune.deb >/try/apt.log 2>&1 || { cat /try/apt.log; exit 1; }
      getent passwd rltune >/dev/null'
    say "installed in $((SECONDS - began)) s"
    # The host's systemd judges the unit's words; the program it names is in the root.
    sed 's|^ExecStart=.*|ExecStart=/bin/true|' "$root/usr/lib/systemd/system/rltune@.service" >"$root/try/rltune@.service"
    if command -v systemd-analyze >/dev/null; then systemd-analyze verify "$root/try/rltune@.service"; fi
    inside network /try/try_site.sh rltune ;;
  bundle)
    mkdir -p "$root/opt/rltune/keys" "$root/try/first"
    cp "$file" "$root/try/rltune.bundle"
    cp "$key.pub" "$root/opt/rltune/keys/builder.pub"
    inside alone bash -c 'tar -x -f /try/rltune.bundle -C /try/first && /try/first/bin/rltune upgrade apply /try/rltune.bundle && rm -r /try/first'
    rm -r "$(dirname "$key")"
    say "unpacked and taken over in $((SECONDS - began)) s"
    inside alone /try/try_site.sh /opt/rltune/current/bin/rltune ;;
  image)
    # Each step of the second stage by itself: the packages, the user, the copy. Then what ENTRYPOINT and CMD would start.
    "$SOURCE/dev" shell -c "'$SOURCE/deploy/runtime_packages.sh' '$SOURCE'/build/release/bin/rltune '$SOURCE'/build/release/bin/rltune-*" >"$root/tmp-runtime-packages"
    mv "$root/tmp-runtime-packages" "$root/try/runtime-packages"
    inside network bash -c 'apt-get update -qq && xargs apt-get install -y -qq --no-install-recommends tzdata ca-certificates </try/runtime-packages >/try/apt.log 2>&1 || { cat /try/apt.log; exit 1; }
      useradd --system --create-home rltune'
    cp "$SOURCE"/build/release/bin/rltune "$SOURCE"/build/release/bin/rltune-* "$root/usr/local/bin/"
    say "its steps ran in $((SECONDS - began)) s"
    cp -r "$SOURCE/deploy" "$root/try/"
    inside network bash -c 'apt-get install -y -qq --no-install-recommends docker-compose >/try/apt.log 2>&1 || { cat /try/apt.log; exit 1; }
      SITE=/srv/north docker-compose -f /try/deploy/compose.yaml config -q'
    say "compose.yaml is read by $(inside alone docker-compose version --short 2>/dev/null)"
    inside network setpriv --reuid=rltune --regid=rltune --init-groups rltune --help >/dev/null
    inside network /try/try_site.sh rltune ;;
  systemd)
    mkdir "$root/try/next"
    cp "$SOURCE"/build/release/bin/rltune "$SOURCE"/build/release/bin/rltune-* "$root/try/next/"
    next=$("$SOURCE/dev" shell -c "node '$SOURCE/scripts/next_version.mjs' 99.0.0 '$root'/try/next/* && \
      '$SOURCE/scripts/bundle.sh' '$root/try/next' '$root/try' '$key'")
    mv "$next" "$root/try/next.bundle"
    cp "$file" "$root/try/now.bundle"
    cp "$key.pub" "$root/try/builder.pub"
    rm -r "$root/try/next" "$(dirname "$key")"
    inside network bash -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends systemd dbus procps util-linux-extra \
      >/try/apt.log 2>&1 || { cat /try/apt.log; exit 1; }'
    cp "$SOURCE"/scripts/try_unit.sh "$root/try/"
    cp "$SOURCE"/scripts/try.service "$root/etc/systemd/system/"
    say "ready to boot after $((SECONDS - began)) s"
    boot
    cat "$root/try/log"
    grep -q '^try: stopped in order' "$root/try/log" || die "see above, and $CACHE/try-systemd.log" ;;
esac
say "$kind: installed and ran a site, $((SECONDS - began)) s in all"
