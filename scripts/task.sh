#!/usr/bin/env bash
# What ./dev does inside the environment: task.sh COMMAND ARG...
set -euo pipefail
SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
source "$SOURCE/scripts/say.sh"
# Paths inside the tree count from its root: what one clone has compiled another need not.
export CCACHE_BASEDIR=$SOURCE CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_DIR=${CCACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/rltune/ccache}
JOBS=${RLTUNE_JOBS:-$(nproc)}

# Again when packages came, so that tests appear once their libraries are there.
configure() { # PRESET
  local tree=$SOURCE/build/$1
  if [ ! -e "$tree/build.ninja" ] || [ "$SOURCE/CMakePresets.json" -nt "$tree/build.ninja" ] || [ /var/lib/dpkg/status -nt "$tree/build.ninja" ]; then
    (cd "$SOURCE" && cmake --preset "$1" >"$SOURCE/build-$1.log" 2>&1) || { cat "$SOURCE/build-$1.log" >&2; rm -f "$SOURCE/build-$1.log"; die "cmake could not configure the preset '$1'"; }
    rm -f "$SOURCE/build-$1.log"
  fi
}

build() { # PRESET [TARGET...]; ninja's progress goes to stderr
  local preset=$1; shift
  configure "$preset"
  npm_install
  local started=$SECONDS
  ninja -C "$SOURCE/build/$preset" -j "$JOBS" "$@" >&2 || die "the build failed (preset $preset)"
  [ $((SECONDS - started)) -lt 5 ] || say "built $preset in $((SECONDS - started)) s"
}

npm_install() { # the plots' library, and the test suite's protocol peers
  local folder
  for folder in web tests/peers; do
    [ -e "$SOURCE/$folder/package-lock.json" ] || continue
    local stamp=$SOURCE/$folder/node_modules/.installed
    [ "$stamp" -nt "$SOURCE/$folder/package-lock.json" ] && continue
    say "fetching the npm packages of $folder"
    (cd "$SOURCE/$folder" && timeout 600 npm ci --no-audit --no-fund --fetch-timeout=60000 >"$SOURCE/$folder/.npm.log" 2>&1) ||
      { tail -n 5 "$SOURCE/$folder/.npm.log" >&2; die "npm could not fetch the packages of $folder" "Is the npm registry reachable from here?"; }
    rm -f "$SOURCE/$folder/.npm.log"
    touch "$stamp"
  done
}

run_tests() { # PRESET [ctest arguments]
  local preset=$1; shift
  local log=$SOURCE/build/$preset/test.log
  (cd "$SOURCE/build/$preset" && ctest --output-on-failure --no-tests=error --timeout 900 "$@") | tee "$log"
  return "${PIPESTATUS[0]}"
}

count_tests() { # the closing line of a test run, summed from the result files that it left behind
  local folder=$SOURCE/build/$1/test-results total passed failed skipped
  read -r total failed skipped < <(cat "$folder"/*.xml 2>/dev/null | awk '
    /<testsuites /{match($0,/tests="[0-9]+"/);t+=substr($0,RSTART+7,RLENGTH-8);match($0,/failures="[0-9]+"/);f+=substr($0,RSTART+10,RLENGTH-11);
      match($0,/errors="[0-9]+"/);f+=substr($0,RSTART+8,RLENGTH-9)}
    /result="skipped"/{s++} END{print t+0,f+0,s+0}')
  passed=$((total - failed - skipped))
  echo "tests: $passed passed, $failed failed, $skipped skipped"
}

command=$1; shift
PRESET=${PRESET:-release}
case $command in
  shell) exec bash "$@" ;;
  build) build "$PRESET" "$@" ;;
  demo) build "$PRESET" rltune-demo; exec "$SOURCE/build/$PRESET/bin/rltune" demo "$@" ;;
  rltune) build "$PRESET" apps; exec "$SOURCE/build/$PRESET/bin/rltune" "$@" ;;
  test)
    build "$PRESET"
    rm -rf "$SOURCE/build/$PRESET/test-results"
    status=0; run_tests "$PRESET" "$@" || status=$?
    count_tests "$PRESET"
    exit $status ;;
  asan|tsan)
    build "$command"
    export TSAN_OPTIONS=suppressions=$SOURCE/scripts/tsan.supp
    rm -rf "$SOURCE/build/$command/test-results"
    status=0; run_tests "$command" -LE system "$@" || status=$?
    count_tests "$command"
    exit $status ;;
  fuzz) exec "$SOURCE/scripts/fuzz.sh" "$@" ;;
  bench) build "$PRESET" apps benches; RLTUNE_BIN="$SOURCE/build/$PRESET/bin" exec node "$SOURCE/bench/bench.mjs" "$@" ;;
  soak) build "$PRESET" apps benches telemetry_test; RLTUNE_BIN="$SOURCE/build/$PRESET/bin" exec node "$SOURCE/bench/soak.mjs" "$@" ;;
  package) build release apps; exec "$SOURCE/scripts/package.sh" "$SOURCE/build/release/bin" "$SOURCE/build/package" ;;
  bundle)
    [ $# -eq 1 ] && [ -e "$1" ] || die "a bundle is signed: ./dev bundle KEY" "A key pair is made once: ./dev rltune upgrade key KEY"
    build release apps; exec "$SOURCE/scripts/bundle.sh" "$SOURCE/build/release/bin" "$SOURCE/build/package" "$1" ;;
  lint) configure release; exec "$SOURCE/scripts/lint.sh" "$@" ;;
  format) cd "$SOURCE" && git ls-files -z '*.cpp' '*.hpp' '*.h' | xargs -0 clang-format-19 -i ;;
  ci)
    "$SOURCE/scripts/task.sh" lint
    "$SOURCE/scripts/task.sh" build
    "$SOURCE/scripts/task.sh" lint --all
    "$SOURCE/scripts/task.sh" test ;;
esac
