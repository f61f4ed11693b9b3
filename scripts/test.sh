#!/bin/sh
# npm test: sets everything up and runs all tests on the private Node; arguments go to vitest. The last line is "N passed, N failed".
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
. scripts/setup.sh

ASSENT_TEST_MACHINE_NODE=$(command -v node)
export ASSENT_TEST_MACHINE_NODE
install_libraries
build_if_stale
find_private_node
PATH=${node%/node}:$PATH
build_terminals

ASSENT_TALLY=$(mktemp)
export ASSENT_TALLY
status=0
"$node" node_modules/vitest/vitest.mjs run --reporter=default --reporter=./scripts/tally-reporter.ts "$@" || status=$?
tally=$(cat "$ASSENT_TALLY")
rm -f "$ASSENT_TALLY"
echo "${tally:-0 passed, 1 failed}"
[ -n "$tally" ] || exit 1
exit "$status"
