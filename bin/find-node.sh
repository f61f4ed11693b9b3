# Finds the Node that runs Assent. Sourced by bin/assent and by the scripts of the repository, after `root` is set to the program's folder.
#
#   find_node "$@"      sets `node` to a Node that is new enough: $ASSENT_NODE, the machine's, or the private one, which is fetched at first
#                       need. Otherwise it says what to do and exits 3 (this machine can't) or 5 (the download failed).
#   find_private_node   sets `node` to the private one in any case (the tests run on it).
#
# The private Node lies in a cache folder of the user's own. It is run only if nobody else could have put or changed it there.
# Speed: where the machine's Node is new enough, the one process started here is `node --version`.

private_version=24.21.0
newline='
'
wanted='Assent needs Node 22.22.2, 24.15 or 26 and newer'

find_node() {
  if [ -n "${ASSENT_NODE:-}" ]; then
    node=$ASSENT_NODE
    is_new_enough "$node" && return
    refuse "$wanted, and ASSENT_NODE names $node, which is ${version:-no Node that can be run}." \
      'Name another one, or unset ASSENT_NODE.' "$@"
  fi
  node=$(command -v node) && is_new_enough "$node" && return
  find_private_node "$@"
}

# The floor is that of the libraries: 23 and 25 were never supported by them.
is_new_enough() {
  version=$(version_of "$1") || :
  case $version in
    v22.*.*) at_least "${version#v22.}" 22 2 ;;
    v24.*.*) at_least "${version#v24.}" 15 0 ;;
    v2[6-9].*.* | v[3-9][0-9].*.*) return 0 ;;
    *) return 1 ;;
  esac
}

# Called in `$(...)` only: exec saves that shell another fork.
version_of() {
  NODE_OPTIONS='' exec "$1" --version 2>/dev/null
}

# at_least MINOR.PATCH MINOR PATCH; nightly builds and the like ("-rc.1") are below what they lead to, so they don't count.
at_least() {
  minor=${1%%.*}
  patch=${1#*.}
  case $minor$patch in '' | *[!0-9]*) return 1 ;; esac
  [ "$minor" -gt "$2" ] || { [ "$minor" -eq "$2" ] && [ "$patch" -ge "$3" ]; }
}

find_private_node() {
  name_platform "$@"
  name_cache "$@"
  private=$cache/assent/node-$private_version-linux-$platform
  node=$private/bin/node
  if [ ! -x "$node" ]; then
    if [ -d "$cache" ]; then refuse_strangers "$(cache_of_strangers)" "$@"; fi
    fetch_private_node "$@"
  fi
  refuse_strangers "$(cache_of_strangers; folders_of_strangers)" "$@"
}

# The cache folder has to be the user's or root's, and writable by nobody else unless it is sticky, like /tmp.
cache_of_strangers() {
  find "$cache/." -prune \( ! -user "$user" ! -user 0 -o ! -perm -1000 \( -perm -020 -o -perm -002 \) \)
}

# Everything below it has to be the user's alone.
folders_of_strangers() {
  find "$cache/assent/." "$private/." "$private/bin/." "$node" -prune \( ! -user "$user" -o -perm -020 -o -perm -002 \)
}

refuse_strangers() {
  [ -n "$1" ] || return 0
  stranger=${1%%"$newline"*}
  stranger=${stranger%/.}
  shift
  refuse "$stranger belongs to another user or can be written by one: what lies in it is not run." \
    "Make it yours alone (chmod go-w $stranger), or name another Node: ASSENT_NODE=/path/to/node." "$@"
}

name_platform() {
  loader=''
  machine=$(uname -sm)
  case $machine in
    'Linux x86_64') platform=x64 loader=/lib64/ld-linux-x86-64.so.2 ;;
    'Linux aarch64' | 'Linux arm64') platform=arm64 loader=/lib/ld-linux-aarch64.so.1 ;;
  esac
  if [ -z "$loader" ] || [ ! -e "$loader" ]; then
    refuse "Assent runs on Linux with glibc, on x64 and arm64; this machine is ${machine% *} on ${machine#* }${loader:+ without glibc}." \
      'Run it on a machine of that kind.' "$@"
  fi
}

# Root's lies apart from every user's home: under sudo HOME may still be the user's.
name_cache() {
  user=$(id -u)
  home=${HOME:-}
  if [ -z "$home" ]; then home=$(getent passwd "$user" 2>/dev/null | cut -d: -f6); fi
  if [ "$user" -eq 0 ]; then cache=/var/cache && return; fi
  # Both have to be absolute.
  case ${XDG_CACHE_HOME:-} in /*) cache=$XDG_CACHE_HOME && return ;; esac
  case $home in /*) cache=$home/.cache && return ;; esac
  refuse "$wanted, and there is no folder to keep one in: HOME is not set." \
    'Set HOME or XDG_CACHE_HOME, or name a Node: ASSENT_NODE=/path/to/node.' "$@"
}

# Any Node from 18 on can fetch it.
fetch_private_node() {
  machine_node=$(command -v node) || machine_node=''
  machine_version=$(version_of "$machine_node") || :
  case $machine_version in
    v1[89].* | v[2-9][0-9].*) ;;
    *)
      refuse "$wanted, and this machine has ${machine_version:-none}." \
        'Install a newer Node with npm (Node 18 is enough to fetch the rest), or name one: ASSENT_NODE=/path/to/node.' "$@"
      ;;
  esac
  "$machine_node" "$root/dist/bootstrap.mjs" "$private" "$@" || exit
  [ -x "$node" ] || exit 5
}

# refuse MESSAGE ADVICE ARGUMENTS...: exit 3, people's text on stderr, and with --json one document on stdout.
refuse() {
  printf 'assent: %s\n  %s\n' "$1" "$2" >&2
  message=$(json_text "$1")
  advice=$(json_text "$2")
  shift 2
  for argument; do
    [ "$argument" = --json ] || continue
    printf '{"schema":"assent/1","command":"%s","ok":false,"outcome":"refused","changed":false,' "$(command_words "$@")"
    printf '"error":{"code":"refused-platform","message":"%s","advice":"%s","exit":3}}\n' "$message" "$advice"
    break
  done
  exit 3
}

# The words of the command as far as they can be told without its table; `assent` where there are none.
command_words() {
  words=''
  before=''
  for argument; do
    case $before$argument in
      --home) before=--home/ && continue ;;
      --home/* | -*) ;;
      *[!a-z]* | '') break ;;
      telemetry | products) [ -z "$words" ] && words=$argument || break ;;
      *) words="${words:+$words }$argument" && break ;;
    esac
    before=''
  done
  printf '%s' "${words:-assent}"
}

json_text() {
  printf '%s' "$1" | tr -d '\000-\037' | sed 's/[\\"]/\\&/g'
}
