#!/bin/sh
# npm start: sets everything up and runs the guided installation of the default product; arguments pass through.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
. scripts/setup.sh

install_libraries
build_if_stale
# npm changes to the root; relative paths in the arguments are meant from where it was called.
cd "${INIT_CWD:-$root}"
exec "$root/bin/assent" install "$@"
