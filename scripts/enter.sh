# Enters a Debian root: enter.sh ROOT FOLDER COMMAND ARG...
#
# Runs in a mount namespace of its own. The host's own folders (/home, /tmp, /srv, ...) appear at
# the same paths inside, so a path means the same on both sides. pivot_root, not bubblewrap or
# chroot: a sandbox nested inside must still be able to mount /proc.
set -euo pipefail
root=$1 folder=$2
shift 2
export PATH=$PATH:/usr/sbin:/sbin  # where pivot_root is, and an ordinary user does not look

mount --bind "$root" "$root"
for path in /*; do
  case ${path#/} in
    bin|boot|dev|etc|lib|lib32|lib64|libx32|lost+found|opt|proc|run|sbin|sys|usr|var|swapfile) continue ;;
  esac
  [ -d "$path" ] && [ ! -L "$path" ] || continue
  mkdir -p "$root$path"
  mount --rbind "$path" "$root$path"
done
for path in /dev /proc /sys; do mount --rbind "$path" "$root$path"; done
mount -t tmpfs tmpfs "$root/run"
for file in /etc/resolv.conf /etc/hosts; do
  [ -e "$file" ] || continue
  [ -e "$root$file" ] || touch "$root$file"
  mount --bind "$(readlink -f "$file")" "$root$file"
done
# The host's certificate bundle: behind a proxy that re-signs, nothing else is trusted. A bundle
# named by a variable and not visible inside is replaced by the host's own.
bundle=/etc/ssl/certs/ca-certificates.crt
if [ -d /etc/ssl/certs ]; then mkdir -p "$root/etc/ssl/certs"; mount --bind /etc/ssl/certs "$root/etc/ssl/certs"; fi
for name in NODE_EXTRA_CA_CERTS SSL_CERT_FILE CURL_CA_BUNDLE GIT_SSL_CAINFO; do
  value=${!name:-}
  if [ -n "$value" ] && [ ! -e "$root$value" ] && [ -e "$bundle" ]; then export "$name=$bundle"; fi
done

mkdir -p "$root/.host"
cd "$root"
pivot_root . .host
umount -l /.host
cd "$folder" 2>/dev/null || cd /
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
exec "$@"
