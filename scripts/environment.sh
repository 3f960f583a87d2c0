# Makes and enters the Debian 13 environment. Sourced by ./dev on the host.
#
#   environment_prepare SECTION...   packages of these sections of packages.txt are there
#   environment_enter COMMAND ARG... runs COMMAND in the environment; does not return
#
# A root is built beside its final place and renamed when complete; sections are added one at a
# time and marked. So an interrupted run leaves nothing half-made: the next one goes on.

MIRROR=${RLTUNE_MIRROR:-http://deb.debian.org/debian}

packages_of() { # SECTION: its package names, one a line
  awk -v want="[$1]" '/^\[/{on=($0==want); next} on && NF && !/^#/' "$SOURCE/packages.txt"
}

environment_is_native() {
  [ "${RLTUNE_ROOT:-auto}" != always ] && . /etc/os-release 2>/dev/null && [ "${VERSION_ID:-}" = 13 ] && [ "${ID:-}" = debian ]
}

environment_prepare() {
  if environment_is_native; then native_prepare "$@"; return; fi
  local key; key=$(sha256sum "$SOURCE/packages.txt" | cut -c1-12)
  ROOT=$CACHE/root-$key
  mkdir -p "$CACHE" || die "cannot create $CACHE" "Set RLTUNE_CACHE to a folder that you may write."
  local missing=() section
  for section in "$@"; do [ -e "$ROOT/.rltune/$section" ] || missing+=("$section"); done
  [ ${#missing[@]} -eq 0 ] && return
  exec 9>"$CACHE/lock"
  flock -n 9 || { say "another ./dev is preparing the environment; waiting for it"; flock 9; }
  require_space
  require_mmdebstrap
  require_network
  [ -e "$ROOT/.rltune/build" ] || root_create
  for section in "$@"; do [ -e "$ROOT/.rltune/$section" ] || root_add "$section"; done
  exec 9>&-
}

native_prepare() {
  local missing
  missing=$(for section in "$@"; do packages_of "$section"; done | while read -r name; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q '^install ok installed$' || echo "$name"; done)
  [ -z "$missing" ] && return
  local line="apt-get install -y --no-install-recommends $(echo $missing)"
  [ "$(id -u)" = 0 ] || die "$(wc -w <<<"$missing") packages are missing" "Run this once as root, then start again:" "  apt-get update && $line"
  say "installing $(wc -w <<<"$missing") packages with apt"
  apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive $line >&2 ||
    die "apt could not install the packages" "See its message above; the list is packages.txt."
}

require_space() {
  local free_mb; free_mb=$(df -Pm "$CACHE" | awk 'NR==2{print $4}')
  [ "$free_mb" -ge 4000 ] ||
    die "only ${free_mb} MB are free in $CACHE; the environment needs 4000 MB" \
        "Free some space, or set RLTUNE_CACHE to a folder on a larger disk."
}

require_mmdebstrap() {
  command -v mmdebstrap >/dev/null && return
  local line="apt-get install -y --no-install-recommends mmdebstrap"
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing mmdebstrap with apt"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive $line; } >"$CACHE/apt.log" 2>&1 ||
      die "mmdebstrap could not be installed" "$(tail -n 2 "$CACHE/apt.log")" "Is there a network? The whole log: $CACHE/apt.log"
  else
    die "mmdebstrap is needed to make the Debian 13 environment" "Run this once, then start again:" "  sudo $line"
  fi
}

require_network() {
  local host=${MIRROR#*://}; host=${host%%/*}
  local name=${host%%:*} port=80
  [[ $MIRROR == https:* ]] && port=443
  [[ $host == *:* ]] && port=${host##*:}
  [ -n "${http_proxy:-}${HTTP_PROXY:-}${https_proxy:-}" ] && return
  timeout 15 bash -c "exec 3<>/dev/tcp/$name/$port" 2>/dev/null ||
    die "no network: $name port $port does not answer" \
        "The environment is made once from Debian's packages. Connect this machine," \
        "or set RLTUNE_MIRROR=http://HOST/debian to a mirror that it can reach."
}

# How an ordinary user gets a root file system of their own: a user namespace.
require_namespaces() {
  [ "$(id -u)" = 0 ] && return
  unshare --user --map-root-user --map-auto true 2>/dev/null ||
    die "user namespaces are not available to $(id -un)" \
        "Either run ./dev as root, or allow them once:" \
        "  sudo apt-get install uidmap && sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $(id -un)" \
        "  sudo sysctl kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0"
}

root_create() {
  require_namespaces
  say "making the Debian 13 environment in $ROOT (once; about two minutes)"
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [ -e "$keyring" ] || die "Debian's archive keys are missing" "Install the package debian-archive-keyring and start again."
  discard "$ROOT.part"
  local make=(mmdebstrap --variant=minbase --aptopt='Acquire::http::Timeout "30"' --aptopt='Acquire::Retries "3"'
    --include="$(packages_of build | paste -sd,)" trixie)
  # In a mount namespace of its own: what mmdebstrap mounts into the root goes with it, however it ends.
  { if [ "$(id -u)" = 0 ]; then unshare --mount --propagation private "${make[@]}" --mode=root --format=directory "$ROOT.part" "$MIRROR" 2>&1
    else make_as_user "${make[@]}"; fi; } | progress ||
    die "the environment could not be made" "The log: $CACHE/environment.log. Start again to retry."
  in_root "$ROOT.part" mkdir -p /.rltune
  in_root "$ROOT.part" touch /.rltune/build
  mv "$ROOT.part" "$ROOT"
}

# mmdebstrap maps the root user to the first subordinate id; inside, root has to be the user, who owns the source
# tree. So the root travels as a tar from one mapping to the other. Devices come from the host.
make_as_user() {
  mkdir -p "$ROOT.part"
  { "$@" --mode=unshare --format=tar - "$MIRROR" 2>&3 |
      unshare --user --map-root-user --map-auto tar -x --numeric-owner --exclude='./dev/*' -C "$ROOT.part"; } 3>&1
}

root_add() {
  say "adding the $1 packages"
  in_root "$ROOT" bash -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" && touch "/.rltune/$0"' \
    "$1" $(packages_of "$1") 2>&1 | progress ||
    die "the $1 packages could not be added" "The log: $CACHE/environment.log. Start again to retry."
}

discard() { # FOLDER: removes a root, whoever its files belong to inside the user namespace
  [ -e "$1" ] || return 0
  if [ "$(id -u)" = 0 ]; then rm -rf --one-file-system "$1"; else unshare --user --map-root-user --map-auto rm -rf --one-file-system "$1"; fi
}

progress() { # keeps the log, shows one line that moves on a terminal
  local count=0 line
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$CACHE/environment.log"
    count=$((count + 1))
    if [ -t 2 ]; then printf '\r\033[Kdev: %5d  %.100s' "$count" "$line" >&2
    elif [[ $line == I:* ]]; then say "${line#I: }"; fi
  done
  if [ -t 2 ]; then printf '\r\033[K' >&2; fi
}

in_root() { # ROOT COMMAND...: runs it inside that root
  local root=$1; shift
  local wrap=(unshare --mount --propagation private)
  [ "$(id -u)" = 0 ] || wrap=(unshare --user --map-root-user --map-auto --mount --propagation private)
  "${wrap[@]}" bash "$SOURCE/scripts/enter.sh" "$root" "$PWD" "$@"
}

environment_enter() {
  if environment_is_native; then RLTUNE_INSIDE=$SOURCE exec "$@"; fi
  [ "$(id -u)" = 0 ] || require_namespaces
  local wrap=(unshare --mount --propagation private)
  [ "$(id -u)" = 0 ] || wrap=(unshare --user --map-root-user --map-auto --mount --propagation private)
  RLTUNE_INSIDE=$SOURCE exec "${wrap[@]}" bash "$SOURCE/scripts/enter.sh" "$ROOT" "$PWD" "$@"
}
