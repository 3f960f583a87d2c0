#!/usr/bin/env bash
# Every libFuzzer target, and a running gateway's whole API (gateway_api), SECONDS each (60 by default):
# ./dev fuzz [SECONDS] [NAME]
set -euo pipefail
SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
source "$SOURCE/scripts/say.sh"
seconds=${1:-60} wanted=${2:-}
tree=$SOURCE/build/fuzz
cd "$SOURCE"
fuzz_api() { # a site of the release build is called by a program that reads its OpenAPI document
  local seed=${RLTUNE_FUZZ_SEED:-$((RANDOM * 32768 + RANDOM))}
  "$SOURCE/scripts/task.sh" build gateway_api_fuzz_test
  say "gateway_api for $seconds s, seed $seed"
  RLTUNE_FUZZ_SECONDS=$seconds RLTUNE_FUZZ_SEED=$seed "$SOURCE/build/release/bin/gateway_api_fuzz_test" \
    --gtest_brief=1 --gtest_filter='ApiFuzz.*' >"$SOURCE/build/release/gateway_api.log" 2>&1 ||
    { grep -v '^{"time' "$SOURCE/build/release/gateway_api.log" | cut -c1-2000 | tail -n 40 >&2; die "gateway_api FAILED with seed $seed"; }
  grep '"requests"' "$SOURCE/build/release/gateway_api.log" | sed 's/^/gateway_api /'
}
if [ -n "$wanted" ] && [[ gateway_api == *"$wanted"* ]]; then fuzz_api; exit; fi

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
[ -n "$wanted" ] || (fuzz_api) || failed=1
[ $failed -eq 0 ] && say "${#names[@]} fuzzers, no crash"
exit $failed
