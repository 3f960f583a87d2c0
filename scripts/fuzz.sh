#!/usr/bin/env bash
# Every libFuzzer target, SECONDS each (60 by default): ./dev fuzz [SECONDS] [NAME]
set -euo pipefail
SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
source "$SOURCE/scripts/say.sh"
seconds=${1:-60} wanted=${2:-}
tree=$SOURCE/build/fuzz
cd "$SOURCE"
[ -e "$tree/build.ninja" ] || cmake --preset fuzz >/dev/null
mapfile -t names < <(git ls-files '*_fuzz.cpp' | sed -E 's|.*/||; s|\.cpp$||' | grep -F "$wanted")
[ ${#names[@]} -gt 0 ] || die "no fuzzer matches '$wanted'"
ninja -C "$tree" -j "${RLTUNE_JOBS:-$(nproc)}" "${names[@]}" >&2
failed=0
for name in "${names[@]}"; do
  corpus=$tree/corpus/$name
  mkdir -p "$corpus"
  seeds=$(git ls-files "*/fuzz_seeds/$name/*" | head -1)
  [ -z "$seeds" ] || cp -n "$SOURCE/$(dirname "$seeds")"/* "$corpus/" 2>/dev/null || true
  say "$name for $seconds s"
  "$tree/bin/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$tree/$name-" "$corpus" >"$tree/$name.log" 2>&1 || { tail -n 30 "$tree/$name.log" >&2; say "$name FAILED; the input lies beside $tree/$name-*"; failed=1; }
  grep -E 'number_of_executed_units' "$tree/$name.log" | sed "s/^/$name /" || true
done
[ $failed -eq 0 ] && say "${#names[@]} fuzzers, no crash"
exit $failed
