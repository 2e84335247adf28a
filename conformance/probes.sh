#!/bin/sh
# SPDX-License-Identifier: MIT
# probes.sh BUILD -- whoever takes the other alternative of a CHOICE is found out: for each one that a session of a
# derived suite can show, `xdna derive --probe` is run against the reference, and against the reference with that row.
set -u
build=${1:?usage: conformance/probes.sh BUILD}
failed=0

# told ROLE ROW [ARGS]: the probe names ROW, and says so because a session showed it
told() {
    role=$1 row=$2; shift 2
    said=$("$build/xdna" derive --profile xdna --role "$role" --probe "$@" | grep -E " $row:.*\[" | grep -v 'taken for granted')
    if [ -n "$said" ]; then
        echo "found  $role $row${*:+ ($*)}"
    else
        echo "MISSED $role $row${*:+ ($*)}"
        failed=1
    fi
}

for pair in receiving:SR22:SR23 receiving:TR01:TR02 receiving:DA02:DA03 receiving:DR05:DR06 authoritative:SR22:SR23 \
    authoritative:DA02:DA03 initiating:TI02:TI03 initiating:DA02:DA03 initiating:DR13:DR14 initiating:DR05:DR06 \
    c2s-server:TR01:TR02 c2s-client:TI02:TI03; do
    role=${pair%%:*} rows=${pair#*:}
    told "$role" "${rows%:*}"
    told "$role" "${rows#*:}" --mutate "${rows#*:}:choice"
done
exit $failed
