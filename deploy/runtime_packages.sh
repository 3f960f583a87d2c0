#!/usr/bin/env bash
# The Debian packages whose shared libraries PROGRAM... load: runtime_packages.sh PROGRAM...
set -euo pipefail
libraries=$(ldd "$@")
if grep 'not found' <<<"$libraries" >&2; then exit 1; fi
awk '$2=="=>"{print $3}' <<<"$libraries" | xargs readlink -f | sort -u | xargs dpkg -S | cut -d: -f1 | sort -u
