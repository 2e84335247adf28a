#!/bin/sh
# SPDX-License-Identifier: MIT
# bench.sh -- the figures that the project promises, measured; nothing here passes or fails.
# usage: conformance/bench/bench.sh BUILD [REPEATS]       (make bench)
build=${1:-build}
repeats=${2:-20}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

seconds() { # name, command...: prints the wall clock time of a command
    name=$1
    shift
    start=$(date +%s.%N)
    "$@" >"$out/last" 2>&1
    status=$?
    end=$(date +%s.%N)
    printf '%s: %.1f s (status %d) %s\n' "$name" "$(echo "$end $start" | awk '{ print $1 - $2 }')" \
        "$status" "$(grep '^RESULT' "$out/last" | tail -n 1)"
}
verdicts() { # what a run said of each case, without times
    grep -E '^(PASS|FAIL|WARN|INFO|INCONC|SKIP|ERROR)' "$out/last" | sort
}

echo "machine: $(nproc) processors, $(uname -srm)"
seconds "suite on the reference, default -j" "$build/xdna" run --profile xdna --progress line
verdicts >"$out/default"
for j in 1 32; do
    seconds "suite on the reference, -j$j" "$build/xdna" run --profile xdna --progress line -j $j
    verdicts >"$out/j$j"
done
if cmp -s "$out/j1" "$out/j32"; then
    echo "verdicts of -j1 and -j32: identical, $(wc -l <"$out/j1") cases"
else
    echo "verdicts of -j1 and -j32 differ:"
    diff "$out/j1" "$out/j32"
fi
n=1
differ=0
while [ $n -le "$repeats" ]; do
    "$build/xdna" run --profile xdna --progress line --seed $n --order shuffle >"$out/last" 2>&1
    verdicts >"$out/repeat"
    cmp -s "$out/default" "$out/repeat" || { differ=$((differ + 1)); diff "$out/default" "$out/repeat"; }
    n=$((n + 1))
done
echo "repeats: $repeats runs in shuffled order, $differ with other verdicts"
if command -v prosody >/dev/null 2>&1; then
    seconds "suite on Prosody, default -j" "$build/xdna" run --profile prosody --progress line
fi
"$build/bench-idle" xdna 2000
