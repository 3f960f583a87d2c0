#!/usr/bin/env bash
# The learning figures of docs/benchmarks.md: bench/learning.sh WEATHER.csv.gz [SEED...]
#
# For each seed a policy is trained with the defaults on synthetic weather and examined on 20 seasons of the given file,
# +-10 % on every parameter per season, forecasts by persistence over 24 h, against the rule tuned with as many simulated
# steps; the first season's inputs are played blind on the others. Prints one JSON object a seed.
set -euo pipefail
SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
weather=${1:?"usage: bench/learning.sh WEATHER.csv.gz [SEED...]"}
shift
[ $# -gt 0 ] || set -- 1 2 3 4 5
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for seed in "$@"; do
  "$SOURCE/dev" rltune policy train --plant lettuce --seed "$seed" --out "$folder/$seed" --json >"$folder/$seed.train.json"
  "$SOURCE/dev" rltune policy evaluate --plant lettuce --controller "$folder/$seed" --against "$folder/$seed/baseline.yaml" \
    --weather "$weather" --time-zone Europe/Amsterdam --episodes 20 --parameter-noise 0.2 --per episode \
    --forecast persistence --forecast-hours 24 --seed 11 --blind-replay --json >"$folder/$seed.test.json"
  node -e '
    const [seed, train, test] = [process.argv[1], ...process.argv.slice(2).map((file) => JSON.parse(require("fs").readFileSync(file)))];
    console.log(JSON.stringify({ seed: Number(seed), seconds: train.seconds, passed: train.validation.passed, gain: test.gain,
      violations: test.violations, violations_rule: test.against.violations, blind_replay: test.blind_replay }));
  ' "$seed" "$folder/$seed.train.json" "$folder/$seed.test.json"
done
