#!/bin/sh
# A server that answers for a domain it must refuse: the reference with one more domain in its configuration.
set -eu
[ "$1" != --version ] || { echo "a server that misbehaves"; exit 0; }
here=$(dirname "$(readlink -f "$0")")
conf=$2
domain=$(sed -n 's/^\[domain \(.*\)\]/\1/p' "$conf" | head -n 1)
unhosted=$(printf '%s' "$domain" | sed 's/^/unhosted./')
cert=$(sed -n 's/^certificate *//p' "$conf" | head -n 1)
key=$(sed -n 's/^key *//p' "$conf" | head -n 1)
printf '\n[domain %s]\ncertificate %s\nkey %s\n' "$unhosted" "$cert" "$key" >>"$conf"
exec "$here/../../../build/xdna-server" "$@"
