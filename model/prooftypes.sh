#!/bin/sh
# SPDX-License-Identifier: MIT
# prooftypes.sh -- the prooftypes are the tables that are there: writes the lists of model/prooftype_*.def
# into the folder named, each only when it changes.  Called by the Makefile from the root of the tree.
set -eu
dir=$1
mkdir -p "$dir"
put() {
    cat >"$dir/new"
    cmp -s "$dir/new" "$dir/$1" || cp "$dir/new" "$dir/$1"
    rm -f "$dir/new"
}
names=$(for f in model/prooftype_*.def; do [ -e "$f" ] && basename "$f" .def | sed 's/^prooftype_//'; done | sort)
{
    echo "/* Made by model/prooftypes.sh from model/prooftype_*.def: X( prooftype_NAME ) and X( NAME ) for each. */"
    echo "#define DNA_PROOFTYPES(X)$(for n in $names; do printf ' X(prooftype_%s)' "$n"; done)"
    echo "#define DNA_PROOFTYPE_NAMES(X)$(for n in $names; do printf ' X(%s)' "$n"; done)"
} | put prooftype_names.h
{
    echo "/* Made by model/prooftypes.sh from model/prooftype_*.def. */"
    for n in $names; do printf '#define M prooftype_%s\n#define DEF "model/prooftype_%s.def"\n#include DNA_EACH_MACHINE\n' "$n" "$n"; done
} | put prooftype_each.h
