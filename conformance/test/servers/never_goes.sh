#!/bin/bash
# The reference, of which something stays when it is told to stop.
[ "$1" != --version ] || { echo "a server that misbehaves"; exit 0; }
trap '' TERM
here=$(dirname "$(readlink -f "$0")")
( trap - TERM; exec "$here/../../../build/xdna-server" "$@" )
exec sleep 60
