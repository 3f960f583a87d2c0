# Messages of ./dev itself: to stderr, so that stdout belongs to the command that runs.
say() { printf 'dev: %s\n' "$*" >&2; }
die() { printf 'dev: error: %s\n' "$1" >&2; shift; for line in "$@"; do printf '     %s\n' "$line" >&2; done; exit 1; }
