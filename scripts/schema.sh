#!/bin/sh
# npm run schema: writes schema/product.schema.json from the schema in src/product/schema.ts. A test says when the two differ.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root" || exit 1
. scripts/setup.sh

install_libraries
find_private_node
exec "$node" scripts/schema.ts
