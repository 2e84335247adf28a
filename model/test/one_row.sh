#!/bin/bash
# SPDX-License-Identifier: MIT
# one_row.sh -- shows that a row is the only source: one row is edited by script in a copy of the checkout,
# `make gen` follows, and then (1) nothing but that table and generated files differs, (2) the server built
# from the copy behaves otherwise on the wire, and a case notices, (3) the trace walker built from the copy
# refuses what it took before.
# usage: model/test/one_row.sh [BUILD]      (make one-row)
set -eu
build=${1:-build}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z | xargs -0 cp --parents -t "$copy"
cp -r "$build" "$copy/build" # objects that are still good are not compiled again
cd "$copy"
git init -q . && git add -A && git -c user.name=x -c user.email=x@example.org commit -q -m copy

echo "one-row: DA05 now answers a right key with invalid"
sed -i '/^ROW( DA05,/s/send_verify_valid/send_verify_invalid/' model/dialback_authoritative.def
make -s gen >/dev/null

changed=$(git diff --name-only | sort | tr '\n' ' ')
echo "one-row: git diff names: $changed"
others=$(git diff --name-only | grep -v -e '^impl/gen/' -e '^model/reference/' -e '^model/dialback_authoritative.def$' || true)
[ -z "$others" ] || { echo "one-row: other files changed: $others"; exit 1; }
echo "$changed" | grep -q 'impl/gen/dialback_authoritative.gen.c' || { echo "one-row: generated code did not change"; exit 1; }

make -s -j2 build/xdna build/xdna-server build/test/model_test_walk
status=0
build/xdna run 'xep0220/2.2.2/**' --profile xdna --no-oracle --progress line >out 2>&1 || status=$?
[ $status -eq 1 ] && grep -q '^FAIL' out || { tail -n 5 out; echo "one-row: no case noticed the edited server"; exit 1; }
echo "one-row: the server followed: $(grep -c '^FAIL xep' out) cases fail, first $(grep -m1 '^FAIL xep' out)"
if build/test/model_test_walk >out 2>&1; then
    echo "one-row: the walker still takes the answer that the row no longer gives"
    exit 1
fi
echo "one-row: the oracle followed: its worked examples are refused, $(grep -m1 -o 'CU_FAIL.*\|[0-9]*\. .*' out | head -n 1)"
echo "one-row: 1 passed, 0 failed"
