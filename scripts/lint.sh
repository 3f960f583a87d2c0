#!/usr/bin/env bash
# Style and structure as checks: format, layout rules, headers that compile alone, clang-tidy.
# ./dev lint checks format and layout in seconds; ./dev lint --all adds the compiler's checks.
set -euo pipefail
SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
source "$SOURCE/scripts/say.sh"
cd "$SOURCE"
tree=build/lint  # each file on its own, where the release tree compiles several at a time
failed=0

mapfile -t sources < <(git ls-files 'src/**.cpp' 'apps/**.cpp' 'tests/**.cpp' 'bench/**.cpp')
mapfile -t headers < <(git ls-files '*.hpp' '*.h')

say "format of $((${#sources[@]} + ${#headers[@]})) files"
clang-format-19 --dry-run --Werror "${sources[@]}" "${headers[@]}" 2>/dev/null || {
  clang-format-19 --dry-run "${sources[@]}" "${headers[@]}" 2>&1 | grep -oE '^[^:]+' | sort | uniq -c >&2 || true
  say "these differ from .clang-format; './dev format' mends them"; failed=1; }

say "layout"
scripts/layout.sh || failed=1

if [ "${1:-}" != --all ]; then
  [ $failed -eq 0 ] && say "format and layout are clean; ./dev lint --all adds headers that compile alone and clang-tidy"
  exit $failed
fi

cmake --preset release -B "$tree" -DRLTUNE_UNITY=OFF >/dev/null
say "headers compile alone"
ninja -C "$tree" -j "${RLTUNE_JOBS:-$(nproc)}" all_verify_interface_header_sets >"$tree/headers.log" 2>&1 || { grep -E 'error|FAILED' "$tree/headers.log" | head -20 >&2; failed=1; }

mapfile -t tidy_sources < <(printf '%s\n' "${sources[@]}" | grep -v -E '_(test|bench|fuzz)\.cpp$')
node scripts/tidy.mjs "$tree" "${tidy_sources[@]}" || failed=1

[ $failed -eq 0 ] && say "lint is clean"
exit $failed
