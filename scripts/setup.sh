# What every script of the repository needs first. Sourced, with the repository's root as `root` and as the working folder.
# All of it is quick where nothing is to do, and says in one line what it does where something is.

. "$root/bin/find-node.sh"

# The copy of the lockfile that lies in node_modules tells what was installed there, and that it was installed to the end.
install_libraries() {
  cmp -s package-lock.json node_modules/.assent-lock.json && return
  command -v npm >/dev/null || refuse 'There is no npm here.' 'Install Node 20.20 or newer with npm.'
  echo 'assent: fetching the libraries it is built with (once, 140 MB) ...' >&2
  log=$(mktemp)
  npm ci --ignore-scripts --include=dev --no-audit --no-fund --no-update-notifier --loglevel=error >/dev/null 2>"$log" || {
    grep -v '^npm error *$' "$log" | head -n 5 >&2
    echo 'assent: the libraries could not be fetched. Check the network and npm (npm ping) and run it again.' >&2
    exit 5
  }
  rm -f "$log"
  cp package-lock.json node_modules/.assent-lock.json
}

# esbuild runs on the machine's Node, however old: the private one is fetched by what is built here.
build_if_stale() {
  node scripts/build.mjs --if-stale || exit 1
}

# The tests' terminals. Compiled against the private Node, whatever a user's npm configuration says; tests that need it say so where it is missing.
build_terminals() {
  if [ -f node_modules/node-pty/build/Release/pty.node ]; then return; fi
  echo 'assent: compiling node-pty for the tests ...' >&2
  npm_config_nodedir=${node%/bin/node} npm rebuild node-pty --no-ignore-scripts --loglevel=error >node_modules/.node-pty.log 2>&1 ||
    echo 'assent: node-pty could not be compiled (see node_modules/.node-pty.log): tests at a terminal will be skipped.' >&2
}
