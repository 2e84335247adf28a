#!/bin/bash
# The reference, which is told to stop and ends as if something had gone wrong.
[ "$1" != --version ] || { echo "a server that misbehaves"; exit 0; }
here=$(dirname "$(readlink -f "$0")")
trap : TERM
"$here/../../../build/xdna-server" "$@" &
wait
wait
exit 3
