#!/bin/bash
# SPDX-License-Identifier: MIT
# toy_prooftype.sh -- shows that a further prooftype is one table and one file: both are put into a copy of
# the checkout, `make gen` follows, no other file is touched, and a certificate that nothing else proves is
# proved by it.
# usage: impl/test/toy_prooftype.sh [BUILD]      (make toy-prooftype)
set -eu
build=${1:-build}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z | xargs -0 cp --parents -t "$copy"
cp -r "$build" "$copy/build" # objects that are still good are not compiled again
cd "$copy"
git init -q . && git add -A && git -c user.name=x -c user.email=x@example.org commit -q -m copy

cp fixtures/prooftype_toy/prooftype_toy.def model/
cp fixtures/prooftype_toy/prooftype_toy.c impl/
make -s gen >/dev/null
added=$(git status --porcelain | sed 's/^...//' | sort | tr '\n' ' ')
echo "toy-prooftype: git status names: $added"
others=$(git status --porcelain | grep -v -e '^?? model/prooftype_toy.def$' -e '^?? impl/prooftype_toy.c$' \
    -e '^?? impl/gen/prooftype_toy.gen.c$' -e '^?? model/reference/prooftype_toy.md$' || true)
[ -z "$others" ] || { echo "toy-prooftype: other files changed: $others"; exit 1; }

cp fixtures/prooftype_toy/test_prooftype_toy.c impl/test/
make -s -j2 build/test/impl_test_prooftype_toy build/xdna-server
build/test/impl_test_prooftype_toy >out 2>&1 || { cat out; echo "toy-prooftype: it does not take part in proofs"; exit 1; }
grep -q 'asserts  *6  *6  *6  *0' out || { cat out; echo "toy-prooftype: the test did not run whole"; exit 1; }
build/model-tool check | tail -n 1 | sed 's/^/toy-prooftype: /'
echo "toy-prooftype: 1 passed, 0 failed"
