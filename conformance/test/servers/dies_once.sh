#!/bin/sh
# The same, but only the first time: a death that cannot be brought about again.
set -eu
[ "$1" != --version ] || { echo "a server that misbehaves"; exit 0; }
here=$(dirname "$(readlink -f "$0")")
if [ -e "$(dirname "$2")/died" ]; then exec "$here/../../../build/xdna-server" "$@"; fi
: >"$(dirname "$2")/died"
exec "$here/dies_on_killer.sh" "$@"
