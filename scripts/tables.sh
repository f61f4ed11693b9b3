#!/bin/sh
# npm run tables: writes the tables of docs/telemetry.md that follow from the catalogue. A test says when they are out of date.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root" || exit 1
. scripts/setup.sh

install_libraries
find_private_node
exec "$node" scripts/telemetry-tables.ts
