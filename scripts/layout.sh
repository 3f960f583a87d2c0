#!/usr/bin/env bash
# Rules of the layout that no compiler checks. Each prints what is wrong and where.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
failed=0
complain() { printf 'layout: %s\n' "$*" >&2; failed=1; }

for module in src/*/; do
  [ -e "${module}README.md" ] || complain "${module} has no README.md"
  [ -e "${module}CMakeLists.txt" ] || complain "${module} has no CMakeLists.txt"
done
while IFS= read -r file; do
  grep -q '^#pragma once' "$file" || complain "$file lacks #pragma once"
  head -1 "$file" | grep -q '^//' || complain "$file does not open with what it is"
done < <(git ls-files 'src/*/include/**.hpp')
while IFS= read -r hit; do complain "works for later: $hit"; done < <(git grep -nE '\b(TODO|FIXME|XXX|HACK)\b' -- src apps tests bench scripts docs ':!scripts/layout.sh')
while IFS= read -r hit; do complain "a switched-off test: $hit"; done < <(git grep -n 'DISABLED_' -- '*_test.cpp' ':!src/keeper/keeper_test.cpp')
while IFS= read -r hit; do complain "ZeroMQ outside src/bus: $hit"; done < <(git grep -nE '#include <zmq' -- src apps ':!src/bus')
while IFS= read -r hit; do complain "open62541 outside plant and twin: $hit"; done < <(git grep -nE '#include <open62541' -- src apps tests ':!src/plant' ':!src/twin' ':!tests')
while IFS= read -r hit; do complain "a database opened outside src/sqlite: $hit"; done < <(git grep -nE 'sqlite3_open|SQLite::OPEN_|SQLite::Database [a-z_]+[({]' -- src apps tests bench ':!src/sqlite' ':!tests/peers')
while IFS= read -r hit; do complain "reflect-cpp outside *_schema.cpp: $hit"; done < <(git grep -nE '#include <rfl' -- src apps | grep -v '_schema.cpp:')
while read -r size file; do [ "$size" -le 1048576 ] || complain "$file is larger than 1 MiB"; done < <(git ls-files -z | xargs -0 -r stat -c '%s %n')
exit $failed
