#!/bin/bash
# The reference, which is killed whenever its log names a domain that begins with "killer".
set -eu
[ "$1" != --version ] || { echo "a server that misbehaves"; exit 0; }
here=$(dirname "$(readlink -f "$0")")
log=$(dirname "$2")/log
"$here/../../../build/xdna-server" "$@" 2>&1 &
server=$!
{ tail -n 0 -f --pid="$server" "$log" | grep -m 1 -q 'killer\.' && kill -SEGV "$server"; } 2>/dev/null &
wait "$server"
