#!/bin/sh
# SPDX-License-Identifier: MIT
# attacks.sh -- what refutes the planted bugs of the model checker, replayed over sockets: each scenario of
# scenarios/attack must pass against the reference, and fail against the reference with that bug planted.
# A scenario at level may shows what the texts leave to a server, and the reference does: there a WARN counts.
# Bugs that are not of a table row (no "# Planted:" line) are replayed against the sound reference only.
# usage: conformance/attacks.sh BUILD
set -eu
build=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0 passed=0 killed=0

run() { timeout 120 "$build/xdna" run --profile xdna --no-oracle --no-honesty-check --level may --fail-on should "$@" >"$work/log" 2>&1; }

for scenario in conformance/scenarios/attack/*.scn; do
    name=$(basename "$scenario" .scn)
    id=attack/$(echo "$name" | sed 's/_/\//')
    rows=$(sed -n 's/^# Planted: //p' "$scenario")
    if run "$id"; then passed=$((passed + 1)); else echo "attack $name: the reference does not pass it"; bad=1; fi
    [ -n "$rows" ] || continue
    { echo '#!/bin/sh'; printf 'exec %s/xdna-server-test' "$build"; for row in $rows; do printf " --mutate '%s'" "$row"; done; echo ' "$@"'; } >"$work/server"
    chmod +x "$work/server"
    if run "$id" --server "$work/server"; then echo "attack $name: passes although the bug is planted"; bad=1
    elif grep -q '^\(FAIL\|WARN\) ' "$work/log"; then killed=$((killed + 1)); else echo "attack $name: nothing can be said with the bug planted"; bad=1; fi
done
echo "attacks: $passed scenarios pass against the reference, $killed planted bugs fail theirs"
exit $bad
