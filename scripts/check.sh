#!/bin/sh
# npm run check: the one gate that people and CI run. Format and lint, types, dead code, and the quick tests (vitest.config.ts).
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root" || exit 1
. scripts/setup.sh

install_libraries
build_if_stale
find_private_node
PATH=${node%/node}:$PATH
build_terminals

failed=''
check() {
  name=$1
  shift
  echo "-- $name"
  "$@" || failed="$failed $name"
}

check 'format-and-lint' node_modules/.bin/biome ci --diagnostic-level=warn --max-diagnostics=50 .
check 'types' node_modules/.bin/tsc -p .
check 'dead-code' node_modules/.bin/knip --no-progress
check 'tests' sh scripts/test.sh --project quick

if [ -n "$failed" ]; then
  echo "check: failed:$failed" >&2
  exit 1
fi
echo 'check: all is well'
