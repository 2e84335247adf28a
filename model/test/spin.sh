#!/bin/sh
# SPDX-License-Identifier: MIT
# spin.sh -- Spin as a second opinion on the search: for each configuration it must store as many states and take
# as many transitions as the checker in C, and find no violation that is not a documented limit.
# Spin runs the same compiled tables and composition (verify_spin.h); the store of states, their comparison and the
# search are its own. It counts its own first state and the two steps around it: one state and two transitions more.
# usage: model/test/spin.sh BUILD [CONFIG]...      needs spin (Debian package)
set -eu
build=$(cd "$1" && pwd)
shift
cd "$(dirname "$0")/../.."
command -v spin >/dev/null || { echo "spin.sh: spin is missing: apt-get install spin" >&2; exit 99; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
objects="$(ls "$build"/obj/model/*.o | grep -v '/tool') $(ls "$build"/obj/spec/*.o | grep -v '/texts')"
bad=0 same=0

for config in ${*:-$("$build/model-tool" verify --list | awk '/^config/ { print $2 }')}; do
    "$build/model-tool" promela "$config" >"$work/model.pml"
    # shellcheck disable=SC2086
    (cd "$work" && spin -a model.pml >/dev/null && ${CC:-cc} -w -O2 -DSAFETY -DNOREDUCE -DCOLLAPSE -DVECTORSZ=4096 \
        -I"$OLDPWD" -I"$build/lists" pan.c $objects -lcrypto -o pan && ./pan -m200000 -w20 >said 2>&1) || true
    theirs=$(awk '/states, stored/ { s = $1 - 1 } /transitions/ { t = $1 - 2 } /errors:/ { e = $NF } END { print s, t, e }' "$work/said")
    ours=$("$build/model-tool" verify --config "$config" --size)
    if [ "$theirs" = "$ours 0" ]; then
        same=$((same + 1))
        echo "claim spin config $config: as many states and transitions, $ours"
    else
        echo "claim spin config $config: REFUTED: ours $ours, Spin's $theirs (states, transitions, errors)"
        bad=1
    fi
done
echo "spin: $same configurations agree"
exit $bad
