#!/bin/sh
# npm run test:faults: attacks the real command (test/faults/main.ts), on the private Node. The last line is "N passed, N failed".
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
. scripts/setup.sh

install_libraries
build_if_stale
find_private_node
PATH=${node%/node}:$PATH
build_terminals
exec "$node" test/faults/main.ts "$@"
